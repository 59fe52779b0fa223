/** A secret that two have in common, by the private key of one and the public key of the other: ECDH and X25519. */
import { type Algorithm, asKey } from './algorithms.ts'
import { firstBits } from './bytes.ts'
import { failed, invalidAccess } from './errors.ts'
import { checkType, type KeyUsage, slotsOf } from './key.ts'

export const agreementUsages: readonly KeyUsage[] = ['deriveKey', 'deriveBits']

export const agreement =
  <Material>(name: string, secretOf: (own: Material, other: Material) => Uint8Array): NonNullable<Algorithm['deriveBits']> =>
  members => {
    const other = members.required('public', asKey)
    return (key, length) => {
      checkType(key, 'private', 'deriving')
      checkType(other, 'public', 'public')
      const theirs = slotsOf<Material>(other)
      if (theirs.algorithm.name !== name) throw invalidAccess(`${name}: public is a key of ${theirs.algorithm.name}`)
      const secret = secretOf(slotsOf<Material>(key).material, theirs.material)
      if (length === null) return secret
      if (length > secret.length * 8) throw failed(`${name}: there are ${secret.length * 8} bits, not ${length}`)
      return firstBits(secret, length)
    }
  }
