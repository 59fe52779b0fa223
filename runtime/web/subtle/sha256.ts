/** SHA-256: https://w3c.github.io/webcrypto/#sha */
import { sha256 } from '@noble/hashes/sha2.js'
import type { Algorithm } from './algorithms.ts'
import { digestOf } from './pieces.ts'

export const algorithms: readonly Algorithm[] = [{ name: 'SHA-256', hash: sha256, digest: () => data => digestOf(sha256.create(), data) }]
