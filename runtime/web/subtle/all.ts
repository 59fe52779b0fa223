/** All algorithms, as in an image whose program names them all. For tests. */
import type { Abi } from '@xen-ts/boot/abi'
import { Crypto } from '../crypto.ts'
import { algorithms as aes } from './aes.ts'
import type { Algorithm } from './algorithms.ts'
import { algorithms as ecdh } from './ecdh.ts'
import { algorithms as ecdsa } from './ecdsa.ts'
import { algorithms as ed25519 } from './ed25519.ts'
import { algorithms as hkdf } from './hkdf.ts'
import { algorithms as hmac } from './hmac.ts'
import { linkSubtle } from './link.ts'
import { algorithms as pbkdf2 } from './pbkdf2.ts'
import { algorithms as rsa } from './rsa.ts'
import { algorithms as sha1 } from './sha1.ts'
import { algorithms as sha256 } from './sha256.ts'
import { algorithms as sha512 } from './sha512.ts'
import { algorithms as x25519 } from './x25519.ts'

const allAlgorithms: readonly (readonly Algorithm[])[] = [aes, ecdh, ecdsa, ed25519, hkdf, hmac, pbkdf2, rsa, sha1, sha256, sha512, x25519]

/** Puts them all on crypto. */
export const linkAll = (): void => linkSubtle(allAlgorithms)

/** A crypto of its own, with them all. */
export function wholeCrypto(abi: Pick<Abi, 'random'>): Crypto & { readonly subtle: any } {
  linkAll()
  return new Crypto(abi) as Crypto & { readonly subtle: any }
}
