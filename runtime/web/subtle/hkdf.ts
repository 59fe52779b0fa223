/** HKDF, RFC 5869: https://w3c.github.io/webcrypto/#hkdf */
import { hkdf } from '@noble/hashes/hkdf.js'
import { type Algorithm, asBytes, asHash } from './algorithms.ts'
import { derivation, wholeBytes } from './derivation.ts'
import { failed } from './errors.ts'
import { slotsOf } from './key.ts'

export const algorithms: readonly Algorithm[] = [
  derivation('HKDF', members => {
    const { hash } = members.required('hash', asHash)
    const salt = members.required('salt', asBytes)
    const info = members.required('info', asBytes)
    return (key, length) => {
      const bytes = wholeBytes('HKDF', length)
      const most = 255 * hash.outputLen
      if (bytes > most) throw failed(`HKDF: with this hash function there are ${most} bytes at most, not ${bytes}`)
      return bytes === 0 ? new Uint8Array(0) : hkdf(hash, slotsOf(key).material, salt, info, bytes)
    }
  }),
]
