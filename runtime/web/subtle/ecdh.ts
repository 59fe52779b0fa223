/** ECDH, SEC 1 section 3.3.1: https://w3c.github.io/webcrypto/#ecdh . The secret is the first coordinate of the common point. */

import { agreement, agreementUsages } from './agreement.ts'
import type { Algorithm } from './algorithms.ts'
import { type EcMaterial, ec } from './ec.ts'
import { invalidAccess } from './errors.ts'

export const algorithms: readonly Algorithm[] = [
  ec(
    { name: 'ECDH', use: 'enc', publicUsages: [], privateUsages: agreementUsages },
    {
      deriveBits: agreement<EcMaterial>('ECDH', ({ curve, d }, other) => {
        if (other.curve !== curve) throw invalidAccess(`ECDH: one key is of ${curve.name}, the other of ${other.curve.name}`)
        return curve.curve.getSharedSecret(d!, other.point, false).subarray(1, 1 + curve.bytes)
      }),
    },
  ),
]
