/** HMAC, FIPS 198-1: https://w3c.github.io/webcrypto/#hmac */
import { hmac } from '@noble/hashes/hmac.js'
import { type Algorithm, asHash, asLong, type Hash, type Members } from './algorithms.ts'
import { areEqual, type Bytes, firstBits } from './bytes.ts'
import { badData, failed } from './errors.ts'
import { type CryptoKey, checkUsages, type KeyUsage, makeKey, slotsOf } from './key.ts'
import { digestOf } from './pieces.ts'
import { randomBytes } from './random.ts'
import { exportSecret, importSecret } from './secret.ts'

const NAME = 'HMAC'
const usable: readonly KeyUsage[] = ['sign', 'verify']

const parameters = (members: Members) => ({ hash: members.required('hash', asHash), length: members.optional('length', asLong) })

/** RFC 7518 section 3.2, and HS1 of the specification itself. */
const alg = ({ name }: { name: string }): string => `HS${name.slice('SHA-'.length)}`

function keyOf(material: Bytes, length: number, { name }: Hash, extractable: boolean, usages: readonly KeyUsage[]): CryptoKey {
  return makeKey({ type: 'secret', extractable, algorithm: { name: NAME, length, hash: { name } }, usages, material })
}

/** Which function a key is for was known when it was made, so it is here still. */
function code(key: CryptoKey, data: Bytes): Promise<Uint8Array> {
  const { material, algorithm } = slotsOf<Bytes>(key)
  return digestOf(hmac.create(asHash(algorithm.hash, NAME).hash, material), data)
}

export const algorithms: readonly Algorithm[] = [
  {
    name: NAME,
    sign: () => code,
    verify: () => async (key, signature, data) => areEqual(await code(key, data), signature),

    generateKey: members => {
      const { hash, length = hash.hash.blockLen * 8 } = parameters(members)
      return (extractable, usages) => {
        checkUsages(usages, usable, 'a key of HMAC')
        if (length === 0) throw failed('HMAC: length must not be 0')
        return keyOf(firstBits(randomBytes(Math.ceil(length / 8)), length), length, hash, extractable, usages)
      }
    },

    importKey: members => {
      const { hash, length } = parameters(members)
      return (format, data, extractable, usages) => {
        checkUsages(usages, usable, 'a key of HMAC')
        const bytes = importSecret(format, data, { algorithm: NAME, alg: () => alg(hash), use: 'sig', extractable, usages })
        const bits = bytes.length * 8
        if (bits === 0) throw badData('HMAC: the key has no bytes')
        if (length !== undefined && (length > bits || length <= bits - 8))
          throw badData(`HMAC: the key has ${bits} bits, and length says ${length}`)
        return keyOf(firstBits(bytes, length ?? bits), length ?? bits, hash, extractable, usages)
      }
    },

    exportKey: (format, key) => exportSecret(format, key, alg(slotsOf(key).algorithm.hash!)),

    keyLength: members => {
      const { hash, length = hash.hash.blockLen * 8 } = parameters(members)
      if (length === 0) throw new TypeError('HMAC: length must not be 0')
      return () => length
    },
  },
]
