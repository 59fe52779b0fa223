/** Ed25519, RFC 8032: https://w3c.github.io/webcrypto/#ed25519 */
import { ed25519 } from '@noble/curves/ed25519.js'
import { bytesToNumberLE } from '@noble/curves/utils.js'
import { sha512 } from '@noble/hashes/sha2.js'
import type { Algorithm } from './algorithms.ts'
import { areEqual, type Bytes, join } from './bytes.ts'
import { checkType, slotsOf } from './key.ts'
import { type OkpMaterial, okp } from './okp.ts'

/** Bytes of a signature, and of each of its halves: a point R and a number S. */
const LENGTH = 64
const HALF = 32

const { Point } = ed25519

/**
 * RFC 8032 section 5.1.7, of the two equations the one without the cofactor, and no points of small order, as the specification of Web
 * Cryptography wants it: the package's own `verify` takes the other one. Nothing here is secret.
 */
function isSigned(signature: Bytes, data: Bytes, key: Bytes): boolean {
  if (signature.length !== LENGTH) return false
  const [r, s] = [signature.subarray(0, HALF), bytesToNumberLE(signature.subarray(HALF))]
  if (s >= Point.Fn.ORDER) return false
  const a = pointOf(key)
  if (a === undefined || a.isSmallOrder()) return false
  const k = Point.Fn.create(bytesToNumberLE(sha512(join(r, key, data))))
  const expected = Point.BASE.multiplyUnsafe(s).subtract(a.multiplyUnsafe(k))
  return !expected.isSmallOrder() && areEqual(expected.toBytes(), r)
}

function pointOf(bytes: Bytes): InstanceType<typeof Point> | undefined {
  try {
    return Point.fromBytes(bytes)
  } catch {
    return undefined
  }
}

export const algorithms: readonly Algorithm[] = [
  okp(
    {
      name: 'Ed25519',
      oid: '2b6570',
      use: 'sig',
      algs: ['Ed25519', 'EdDSA'],
      publicUsages: ['verify'],
      privateUsages: ['sign'],
      publicOf: d => ed25519.getPublicKey(d),
    },
    {
      sign: () => (key, data) => {
        checkType(key, 'private', 'sign')
        return ed25519.sign(data, slotsOf<OkpMaterial>(key).material.d!)
      },
      verify: () => (key, signature, data) => {
        checkType(key, 'public', 'verify')
        return isSigned(signature, data, slotsOf<OkpMaterial>(key).material.point)
      },
    },
  ),
]
