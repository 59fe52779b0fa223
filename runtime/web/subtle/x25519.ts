/** X25519, RFC 7748 section 6.1: https://w3c.github.io/webcrypto/#x25519 */
import { x25519 } from '@noble/curves/ed25519.js'
import { agreement, agreementUsages } from './agreement.ts'
import type { Algorithm } from './algorithms.ts'
import { failed } from './errors.ts'
import { type OkpMaterial, okp } from './okp.ts'

export const algorithms: readonly Algorithm[] = [
  okp(
    {
      name: 'X25519',
      oid: '2b656e',
      use: 'enc',
      algs: [],
      publicUsages: [],
      privateUsages: agreementUsages,
      publicOf: d => x25519.getPublicKey(d),
    },
    {
      deriveBits: agreement<OkpMaterial>('X25519', ({ d }, { point }) => {
        try {
          return x25519.getSharedSecret(d!, point)
        } catch {
          // The package refuses points of small order, by which the secret would be 0 whatever the private key is.
          throw failed('X25519: the public key is of small order')
        }
      }),
    },
  ),
]
