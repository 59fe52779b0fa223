/** What RSA's operations are done on: EMSA-PKCS1-v1_5, EMSA-PSS and EME-OAEP, RFC 8017 sections 9.2, 9.1 and 7.1. Nothing here is secret but OAEP. */
import type { Hash } from './algorithms.ts'
import { areEqual, type Bytes, join } from './bytes.ts'
import { unhex } from './der.ts'
import { failed } from './errors.ts'
import { randomBytes } from './random.ts'

/** What stands before a hash: DigestInfo, RFC 8017 section 9.2 note 1. */
const digestInfos: Readonly<Record<string, string>> = {
  'SHA-1': '3021300906052b0e03021a05000414',
  'SHA-256': '3031300d060960864801650304020105000420',
  'SHA-384': '3041300d060960864801650304020205000430',
  'SHA-512': '3051300d060960864801650304020305000440',
}

/**
 * @param digest of what is signed
 * @param length bytes of the key
 * @returns undefined when that is too short for this hash
 */
export function pkcs1({ name }: Hash, digest: Uint8Array, length: number): Bytes | undefined {
  const info = join(unhex(digestInfos[name]), digest)
  const fill = length - info.length - 3
  if (fill < 8) return undefined
  return join(Uint8Array.of(0, 1), new Uint8Array(fill).fill(0xff), Uint8Array.of(0), info)
}

/** MGF1, RFC 8017 appendix B.2.1, put over some bytes: each is changed by one of the mask. */
function mask({ hash }: Hash, seed: Uint8Array, bytes: Uint8Array): Bytes {
  const masked = bytes.slice() as Bytes
  const counter = new DataView(new ArrayBuffer(4))
  for (let at = 0, i = 0; at < masked.length; at += hash.outputLen, i++) {
    counter.setUint32(0, i)
    const part = hash(join(seed, new Uint8Array(counter.buffer)))
    for (let j = 0; j < part.length && at + j < masked.length; j++) masked[at + j] ^= part[j]
  }
  return masked
}

const pssHash = ({ hash }: Hash, digest: Uint8Array, salt: Uint8Array): Uint8Array => hash(join(new Uint8Array(8), digest, salt))

/** Bits of the first byte that must be 0. */
const spare = (bits: number, length: number): number => 0xff >> (8 * length - bits)

/**
 * @param bits one less than n has
 * @throws OperationError when the key is too short for hash and salt
 */
export function pss(hash: Hash, digest: Uint8Array, saltLength: number, bits: number): Bytes {
  const length = Math.ceil(bits / 8)
  const { outputLen } = hash.hash
  const fill = length - outputLen - saltLength - 2
  if (fill < 0) throw failed(`RSA-PSS: the key is too short for a salt of ${saltLength} bytes with ${hash.name}`)
  const salt = randomBytes(saltLength)
  const code = pssHash(hash, digest, salt)
  const masked = mask(hash, code, join(new Uint8Array(fill), Uint8Array.of(1), salt))
  masked[0] &= spare(bits, length)
  return join(masked, code, Uint8Array.of(0xbc))
}

/** @param encoded of as many bytes as `bits` take */
export function isPss(hash: Hash, digest: Uint8Array, saltLength: number, bits: number, encoded: Uint8Array): boolean {
  const { length } = encoded
  const { outputLen } = hash.hash
  const fill = length - outputLen - saltLength - 2
  if (fill < 0 || encoded[length - 1] !== 0xbc || (encoded[0] & ~spare(bits, length)) !== 0) return false
  const code = encoded.subarray(length - outputLen - 1, -1)
  const block = mask(hash, code, encoded.subarray(0, length - outputLen - 1))
  block[0] &= spare(bits, length)
  if (block[fill] !== 1 || block.subarray(0, fill).some(byte => byte !== 0)) return false
  return areEqual(pssHash(hash, digest, block.subarray(fill + 1)), code)
}

/**
 * @param length bytes of the key
 * @throws OperationError when the key is too short for the data
 */
export function oaep(hash: Hash, data: Bytes, label: Bytes, length: number): Bytes {
  const { outputLen } = hash.hash
  const most = length - 2 * outputLen - 2
  if (data.length > most) throw failed(`RSA-OAEP: this key takes ${Math.max(most, 0)} bytes at most, not ${data.length}`)
  const block = join(hash.hash(label), new Uint8Array(most - data.length), Uint8Array.of(1), data)
  const seed = randomBytes(outputLen)
  const masked = mask(hash, seed, block)
  return join(Uint8Array.of(0), mask(hash, masked, seed), masked)
}

/**
 * What was encrypted. Whatever is wrong with it, the work and the answer are the same (RFC 8017 section 7.1.2, note).
 * @throws OperationError
 */
export function fromOaep(hash: Hash, encoded: Uint8Array, label: Bytes): Bytes {
  const { outputLen } = hash.hash
  const seed = mask(hash, encoded.subarray(outputLen + 1), encoded.subarray(1, outputLen + 1))
  const block = mask(hash, seed, encoded.subarray(outputLen + 1))
  const expected = hash.hash(label)
  let wrong = encoded[0]
  for (let i = 0; i < outputLen; i++) wrong |= block[i] ^ expected[i]
  let start = 0
  for (let i = outputLen, isFill = 1; i < block.length; i++) {
    const isOne = ((block[i] ^ 1) - 1) >>> 31
    start += (isFill & isOne) * (i + 1)
    wrong |= (isFill & (isOne ^ 1)) * block[i]
    isFill &= isOne ^ 1
  }
  if (wrong !== 0 || start === 0) throw failed('RSA-OAEP: what was encrypted is wrong, or was encrypted for another key')
  return block.slice(start)
}
