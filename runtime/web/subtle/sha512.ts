/** SHA-384 and SHA-512, which are one function: https://w3c.github.io/webcrypto/#sha */
import { sha384, sha512 } from '@noble/hashes/sha2.js'
import type { Algorithm } from './algorithms.ts'
import { digestOf } from './pieces.ts'

export const algorithms: readonly Algorithm[] = [
  { name: 'SHA-384', hash: sha384, digest: () => data => digestOf(sha384.create(), data) },
  { name: 'SHA-512', hash: sha512, digest: () => data => digestOf(sha512.create(), data) },
]
