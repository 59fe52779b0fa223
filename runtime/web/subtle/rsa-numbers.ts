/**
 * RSA's operations on numbers, RFC 8017 section 5. Powers come from the package of the curves; there is no audited one for RSA itself. Its
 * arithmetic is not of constant time, so what is done with a private key is done with a number that nobody else knows (blinding), and checked
 * before it is shown: a result with a fault in it gives the key away.
 */
import { invert, pow } from '@noble/curves/abstract/modular.js'
import { bytesToNumberBE, numberToBytesBE } from '@noble/curves/utils.js'
import { failed } from './errors.ts'
import { randomBytes } from './random.ts'

export interface RsaPublic {
  readonly n: bigint
  readonly e: bigint
  /** Bits of n. */
  readonly bits: number
}

export interface RsaPrivate {
  readonly d: bigint
  readonly p: bigint
  readonly q: bigint
  readonly dp: bigint
  readonly dq: bigint
  readonly qi: bigint
}

export const toNumber = (bytes: Uint8Array): bigint => (bytes.length === 0 ? 0n : bytesToNumberBE(bytes))

export const lengthOf = ({ bits }: RsaPublic): number => Math.ceil(bits / 8)

/** RSAEP and RSAVP1; undefined: the number is none of this key. */
export function publicPower(key: RsaPublic, bytes: Uint8Array): Uint8Array | undefined {
  const number = toNumber(bytes)
  return bytes.length === lengthOf(key) && number < key.n ? numberToBytesBE(pow(number, key.e, key.n), lengthOf(key)) : undefined
}

/**
 * RSADP and RSASP1, by the Chinese remainder theorem (section 5.1.2, 2b).
 * @throws OperationError for a number that is none of this key, and for a key that is wrong in itself
 */
export function privatePower(key: RsaPublic, { p, q, dp, dq, qi }: RsaPrivate, bytes: Uint8Array): Uint8Array {
  const { n, e } = key
  const number = toNumber(bytes)
  if (number >= n) throw failed('RSA: what the key is to be used on is larger than the key')
  const [factor, back] = blinding(n)
  const blind = (number * pow(factor, e, n)) % n
  const [first, second] = [pow(blind % p, dp, p), pow(blind % q, dq, q)]
  const difference = (qi * (first - (second % p) + p)) % p
  const result = ((second + q * difference) * back) % n
  if (pow(result, e, n) !== number) throw failed('RSA: the private key is wrong: its parts do not belong together')
  return numberToBytesBE(result, lengthOf(key))
}

/** A random number and its inverse. */
function blinding(n: bigint): [bigint, bigint] {
  for (;;) {
    // 8 bytes more than n has, so that all remainders are as good as equally likely.
    const factor = toNumber(randomBytes(Math.ceil(n.toString(16).length / 2) + 8)) % n
    if (factor < 2n) continue
    try {
      return [factor, invert(factor, n)]
    } catch {
      // It has a factor in common with n: the key is wrong, or a wonder happened. A wrong key ends after the check above, or here.
      throw failed('RSA: the private key is wrong: its parts do not belong together')
    }
  }
}
