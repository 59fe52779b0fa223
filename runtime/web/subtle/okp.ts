/** Keys that are 32 bytes: those of Ed25519 and X25519, as RFC 8410 (spki, PKCS #8) and RFC 8037 (JSON Web Keys) write them. */
import type { Algorithm, KeyFormat } from './algorithms.ts'
import { areEqual, type Bytes } from './bytes.ts'
import { DerReader, type EncodedKey, element, OCTET_STRING, readPkcs8, readSpki, writePkcs8, writeSpki } from './der.ts'
import { badData } from './errors.ts'
import { checkAlg, checkJwk, type JsonWebKey, jwkBytes, writeJwk, wrong } from './jwk.ts'
import { type CryptoKey, checkType, checkUsages, type KeyUsage, makeKey, slotsOf } from './key.ts'
import { randomBytes } from './random.ts'
import { noFormat } from './secret.ts'

/** Bytes of a key, public or private. */
const LENGTH = 32

export interface OkpMaterial {
  readonly point: Bytes
  /** The private key. */
  readonly d?: Bytes
}

export interface OkpKind {
  readonly name: 'Ed25519' | 'X25519'
  readonly oid: string
  readonly use: 'sig' | 'enc'
  /** What `alg` may be, and first of them what it is when a key is exported; none: it is not looked at. */
  readonly algs: readonly string[]
  readonly publicUsages: readonly KeyUsage[]
  readonly privateUsages: readonly KeyUsage[]
  publicOf(d: Bytes): Uint8Array
}

/** What both have in common: their keys. */
export function okp(kind: OkpKind, rest: Omit<Algorithm, 'name'>): Algorithm {
  const { name, oid, publicUsages, privateUsages } = kind
  const identifier = { oid, parameters: '' }

  function checked(bytes: Uint8Array): Bytes {
    if (bytes.length !== LENGTH) throw badData(`a key of ${name} must have ${LENGTH} bytes, not ${bytes.length}`)
    return bytes.slice() as Bytes
  }
  function keyIn(info: EncodedKey): Uint8Array {
    if (info.oid !== oid || info.parameters !== '') throw badData(`the key is not one of ${name}`)
    return info.key
  }
  function privateOf(bytes: Uint8Array): OkpMaterial {
    const d = checked(bytes)
    return { d, point: kind.publicOf(d) as Bytes }
  }
  function read(format: KeyFormat, data: Bytes | JsonWebKey): OkpMaterial {
    if (format === 'raw') return { point: checked(data as Bytes) }
    if (format === 'spki') return { point: checked(keyIn(readSpki(data as Bytes))) }
    if (format === 'pkcs8') {
      const reader = new DerReader(keyIn(readPkcs8(data as Bytes)))
      const key = privateOf(reader.take(OCTET_STRING))
      reader.end()
      return key
    }
    const jwk = data as JsonWebKey
    if (jwk.crv !== name) throw wrong('crv', `must be ${name}, not ${jwk.crv}`)
    if (kind.algs.length > 0) checkAlg(jwk, ...kind.algs)
    const point = jwkBytes(jwk, 'x', LENGTH)
    if (jwk.d === undefined) return { point }
    const key = privateOf(jwkBytes(jwk, 'd', LENGTH))
    if (!areEqual(key.point, point)) throw wrong('x', 'is not the public key of d')
    return key
  }
  const keyOf = (material: OkpMaterial, extractable: boolean, usages: readonly KeyUsage[]): CryptoKey =>
    makeKey({ type: material.d === undefined ? 'public' : 'private', extractable, algorithm: { name }, usages, material })

  return {
    name,
    ...rest,

    generateKey: () => (extractable, usages) => {
      checkUsages(usages, [...publicUsages, ...privateUsages], `a pair of keys of ${name}`)
      const key = privateOf(randomBytes(LENGTH))
      return {
        publicKey: keyOf(
          { point: key.point },
          true,
          usages.filter(usage => publicUsages.includes(usage)),
        ),
        privateKey: keyOf(
          key,
          extractable,
          usages.filter(usage => privateUsages.includes(usage)),
        ),
      }
    },

    importKey: () => (format, data, extractable, usages) => {
      const isPrivate = format === 'pkcs8' || (format === 'jwk' && (data as JsonWebKey).d !== undefined)
      checkUsages(usages, isPrivate ? privateUsages : publicUsages, `a ${isPrivate ? 'private' : 'public'} key of ${name}`)
      if (format === 'jwk') checkJwk(data as JsonWebKey, { kty: 'OKP', use: kind.use, extractable, usages })
      return keyOf(read(format, data), extractable, usages)
    },

    exportKey: (format, key) => {
      const { point, d } = slotsOf<OkpMaterial>(key).material
      switch (format) {
        case 'raw':
          checkType(key, 'public', 'format raw')
          return point.slice()
        case 'spki':
          checkType(key, 'public', 'format spki')
          return writeSpki({ ...identifier, key: point })
        case 'pkcs8':
          checkType(key, 'private', 'format pkcs8')
          return writePkcs8({ ...identifier, key: element(OCTET_STRING, d!) })
        case 'jwk':
          return writeJwk(key, { kty: 'OKP', crv: name, alg: kind.algs[0], x: point, d })
        default:
          throw noFormat(name, format)
      }
    },
  }
}
