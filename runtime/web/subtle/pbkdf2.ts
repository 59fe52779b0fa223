/** PBKDF2, RFC 8018 section 5.2: https://w3c.github.io/webcrypto/#pbkdf2 */
import { pbkdf2Async } from '@noble/hashes/pbkdf2.js'
import { type Algorithm, asBytes, asHash, asLong } from './algorithms.ts'
import { derivation, wholeBytes } from './derivation.ts'
import { failed } from './errors.ts'
import { slotsOf } from './key.ts'

export const algorithms: readonly Algorithm[] = [
  derivation('PBKDF2', members => {
    const { hash } = members.required('hash', asHash)
    const salt = members.required('salt', asBytes)
    const iterations = members.required('iterations', asLong)
    return async (key, length) => {
      const bytes = wholeBytes('PBKDF2', length)
      if (iterations === 0) throw failed('PBKDF2: iterations must not be 0')
      return bytes === 0 ? new Uint8Array(0) : await pbkdf2Async(hash, slotsOf(key).material, salt, { c: iterations, dkLen: bytes })
    }
  }),
]
