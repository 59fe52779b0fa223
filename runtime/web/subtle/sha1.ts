/** SHA-1, https://w3c.github.io/webcrypto/#sha : broken for signatures; others still want it (WebSockets, HMAC of old). */
import { sha1 } from '@noble/hashes/legacy.js'
import type { Algorithm } from './algorithms.ts'
import { digestOf } from './pieces.ts'

export const algorithms: readonly Algorithm[] = [{ name: 'SHA-1', hash: sha1, digest: () => data => digestOf(sha1.create(), data) }]
