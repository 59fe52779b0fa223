/** ECDSA, FIPS 186-5 section 6: https://w3c.github.io/webcrypto/#ecdsa . A signature is r and s, one after the other. */
import { type Algorithm, asHash } from './algorithms.ts'
import { type EcMaterial, ec } from './ec.ts'
import { checkType, slotsOf } from './key.ts'
import { digestOf } from './pieces.ts'
import { randomBytes } from './random.ts'

/** What was hashed already; s as it comes, in either half: the specification knows no lower one. */
const options = { prehash: false, lowS: false, format: 'compact' } as const

export const algorithms: readonly Algorithm[] = [
  ec(
    { name: 'ECDSA', use: 'sig', publicUsages: ['verify'], privateUsages: ['sign'] },
    {
      sign: members => {
        const { hash } = members.required('hash', asHash)
        return async (key, data) => {
          checkType(key, 'private', 'sign')
          const { curve, d } = slotsOf<EcMaterial>(key).material
          // The number used once is made from key and message (RFC 6979 section 3.6), and from randomness beside: a fault in either harms less.
          return curve.curve.sign(await digestOf(hash.create(), data), d!, { ...options, extraEntropy: randomBytes(curve.bytes) })
        }
      },
      verify: members => {
        const { hash } = members.required('hash', asHash)
        return async (key, signature, data) => {
          checkType(key, 'public', 'verify')
          const { curve, point } = slotsOf<EcMaterial>(key).material
          return signature.length === 2 * curve.bytes && curve.curve.verify(signature, await digestOf(hash.create(), data), point, options)
        }
      },
    },
  ),
]
