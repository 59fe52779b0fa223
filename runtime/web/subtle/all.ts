/** All algorithms, as in an image whose program names them all. For tests. */
import { algorithms as aes } from './aes.ts'
import type { Algorithm } from './algorithms.ts'
import { algorithms as ecdh } from './ecdh.ts'
import { algorithms as ecdsa } from './ecdsa.ts'
import { algorithms as ed25519 } from './ed25519.ts'
import { algorithms as hkdf } from './hkdf.ts'
import { algorithms as hmac } from './hmac.ts'
import { algorithms as pbkdf2 } from './pbkdf2.ts'
import { algorithms as rsa } from './rsa.ts'
import { algorithms as sha1 } from './sha1.ts'
import { algorithms as sha256 } from './sha256.ts'
import { algorithms as sha512 } from './sha512.ts'
import { algorithms as x25519 } from './x25519.ts'

export const allAlgorithms: readonly (readonly Algorithm[])[] = [
  aes,
  ecdh,
  ecdsa,
  ed25519,
  hkdf,
  hmac,
  pbkdf2,
  rsa,
  sha1,
  sha256,
  sha512,
  x25519,
]
