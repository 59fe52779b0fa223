/** Ed25519, RFC 8032: https://w3c.github.io/webcrypto/#ed25519 */
import { ed25519 } from '@noble/curves/ed25519.js'
import type { Algorithm } from './algorithms.ts'
import { checkType, slotsOf } from './key.ts'
import { type OkpMaterial, okp } from './okp.ts'

export const algorithms: readonly Algorithm[] = [
  okp(
    {
      name: 'Ed25519',
      oid: '2b6570',
      use: 'sig',
      algs: ['Ed25519', 'EdDSA'],
      publicUsages: ['verify'],
      privateUsages: ['sign'],
      publicOf: d => ed25519.getPublicKey(d),
    },
    {
      sign: () => (key, data) => {
        checkType(key, 'private', 'sign')
        return ed25519.sign(data, slotsOf<OkpMaterial>(key).material.d!)
      },
      verify: () => (key, signature, data) => {
        checkType(key, 'public', 'verify')
        return signature.length === 64 && ed25519.verify(signature, data, slotsOf<OkpMaterial>(key).material.point, { zip215: false })
      },
    },
  ),
]
