/** RSASSA-PKCS1-v1_5, RSA-PSS and RSA-OAEP: https://w3c.github.io/webcrypto/#rsassa-pkcs1 , #rsa-pss , #rsa-oaep */
import { type Algorithm, asBytes, asHash, asLong, type Hash } from './algorithms.ts'
import { areEqual } from './bytes.ts'
import { failed } from './errors.ts'
import { type CryptoKey, checkType, slotsOf } from './key.ts'
import { digestOf } from './pieces.ts'
import { type RsaMaterial, rsa } from './rsa-keys.ts'
import { lengthOf, privatePower, publicPower } from './rsa-numbers.ts'
import { fromOaep, isPss, oaep, pkcs1, pss } from './rsa-padding.ts'

/** A key with the hash function that it is for. */
function opened(key: CryptoKey, type: 'public' | 'private', to: string): { material: RsaMaterial; hash: Hash } {
  checkType(key, type, to)
  const { material, algorithm } = slotsOf<RsaMaterial>(key)
  return { material, hash: asHash(algorithm.hash, algorithm.name) }
}

const forSignatures = { use: 'sig', publicUsages: ['verify'], privateUsages: ['sign'] } as const

const pkcs1Signatures = rsa(
  { name: 'RSASSA-PKCS1-v1_5', ...forSignatures, alg: hash => `RS${hash}` },
  {
    sign: () => async (key, data) => {
      const { material, hash } = opened(key, 'private', 'sign')
      const encoded = pkcs1(hash, await digestOf(hash.hash.create(), data), lengthOf(material))
      if (encoded === undefined) throw failed(`RSASSA-PKCS1-v1_5: a key of ${material.bits} bits is too short for ${hash.name}`)
      return privatePower(material, material.private!, encoded)
    },
    verify: () => async (key, signature, data) => {
      const { material, hash } = opened(key, 'public', 'verify')
      const [encoded, expected] = [
        publicPower(material, signature),
        pkcs1(hash, await digestOf(hash.hash.create(), data), lengthOf(material)),
      ]
      return encoded !== undefined && expected !== undefined && areEqual(encoded, expected)
    },
  },
)

const pssSignatures = rsa(
  { name: 'RSA-PSS', ...forSignatures, alg: hash => `PS${hash}` },
  {
    sign: members => {
      const saltLength = members.required('saltLength', asLong)
      return async (key, data) => {
        const { material, hash } = opened(key, 'private', 'sign')
        return privatePower(material, material.private!, pss(hash, await digestOf(hash.hash.create(), data), saltLength, material.bits - 1))
      }
    },
    verify: members => {
      const saltLength = members.required('saltLength', asLong)
      return async (key, signature, data) => {
        const { material, hash } = opened(key, 'public', 'verify')
        const encoded = publicPower(material, signature)
        if (encoded === undefined) return false
        const bits = material.bits - 1
        // Where n has one bit more than whole bytes, what is signed is a byte shorter than the key.
        const isShorter = Math.ceil(bits / 8) < encoded.length
        if (isShorter && encoded[0] !== 0) return false
        return isPss(hash, await digestOf(hash.hash.create(), data), saltLength, bits, isShorter ? encoded.subarray(1) : encoded)
      }
    },
  },
)

const encryption = rsa(
  {
    name: 'RSA-OAEP',
    use: 'enc',
    publicUsages: ['encrypt', 'wrapKey'],
    privateUsages: ['decrypt', 'unwrapKey'],
    alg: hash => (hash === '1' ? 'RSA-OAEP' : `RSA-OAEP-${hash}`),
  },
  {
    encrypt: members => {
      const label = members.optional('label', asBytes) ?? new Uint8Array(0)
      return (key, data) => {
        const { material, hash } = opened(key, 'public', 'encrypt')
        return publicPower(material, oaep(hash, data, label, lengthOf(material)))!
      }
    },
    decrypt: members => {
      const label = members.optional('label', asBytes) ?? new Uint8Array(0)
      return (key, data) => {
        const { material, hash } = opened(key, 'private', 'decrypt')
        const length = lengthOf(material)
        if (data.length !== length || length < 2 * hash.hash.outputLen + 2)
          throw failed(`RSA-OAEP: what was encrypted for this key has ${length} bytes, not ${data.length}`)
        return fromOaep(hash, privatePower(material, material.private!, data), label)
      }
    },
  },
)

export const algorithms: readonly Algorithm[] = [pkcs1Signatures, pssSignatures, encryption]
