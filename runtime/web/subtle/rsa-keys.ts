/** Keys of RSA, as RFC 8017 appendix A.1 (spki, PKCS #8) and RFC 7518 section 6.3 (JSON Web Keys) write them. */
import { type Algorithm, asBytes, asHash, asLong, type Hash, type KeyFormat } from './algorithms.ts'
import type { Bytes } from './bytes.ts'
import { DerReader, type EncodedKey, element, hex, integer, readPkcs8, readSpki, SEQUENCE, writePkcs8, writeSpki } from './der.ts'
import { badData, badUsages, failed, notSupported } from './errors.ts'
import { checkAlg, checkJwk, type JsonWebKey, jwkBytes, writeJwk } from './jwk.ts'
import { type CryptoKey, checkType, checkUsages, type KeyUsage, makeKey, slotsOf } from './key.ts'
import { type RsaPrivate, type RsaPublic, toNumber } from './rsa-numbers.ts'
import { noFormat } from './secret.ts'

/** rsaEncryption, and NULL as its parameters. */
const identifier = { oid: '2a864886f70d010101', parameters: '0500' }

/** A key with more takes more time than anybody has: what OpenSSL allows as well. */
const MOST_BITS = 16384
const MOST_EXPONENT_BITS = 64

/** In the order of RSAPrivateKey, after n and e; JSON Web Keys have the same names. */
const secrets = ['d', 'p', 'q', 'dp', 'dq', 'qi'] as const
type Parts = Readonly<Record<'n' | 'e', Uint8Array>> & { readonly [name in (typeof secrets)[number]]?: Uint8Array }

export interface RsaMaterial extends RsaPublic {
  readonly private?: RsaPrivate
  /** Without zeros in front. */
  readonly parts: Parts
}

export interface RsaKind {
  readonly name: string
  readonly use: 'sig' | 'enc'
  readonly publicUsages: readonly KeyUsage[]
  readonly privateUsages: readonly KeyUsage[]
  /** `alg`, by what the hash is called: 1, 256, 384, 512 */
  alg(hash: string): string
}

const withoutZeros = (bytes: Uint8Array): Uint8Array => {
  const first = bytes.findIndex(byte => byte !== 0)
  return (first < 0 ? bytes.subarray(0, 0) : bytes.subarray(first)).slice()
}

/** Of a number without zeros in front. */
const bitsOf = (bytes: Uint8Array): number => (bytes.length === 0 ? 0 : bytes.length * 8 - (Math.clz32(bytes[0]) - 24))

/** Sizes come first: what others send would otherwise be larger than any number of the engine. */
function materialOf(given: Parts): RsaMaterial {
  const parts = Object.fromEntries(Object.entries(given).map(([name, bytes]) => [name, withoutZeros(bytes)])) as Parts
  const bits = bitsOf(parts.n)
  if (bits > MOST_BITS) throw notSupported(`RSA: keys of more than ${MOST_BITS} bits are not taken; this one has ${bits}`)
  if (bitsOf(parts.e) > MOST_EXPONENT_BITS)
    throw notSupported(`RSA: public exponents of more than ${MOST_EXPONENT_BITS} bits are not taken`)
  const [n, e] = [toNumber(parts.n), toNumber(parts.e)]
  if (n % 2n === 0n || e % 2n === 0n || e < 3n || n <= e) throw badData('the key is no key of RSA')
  if (parts.d === undefined) return { n, e, bits, parts }
  const isLarger = secrets.some(name => parts[name]!.length > parts.n.length)
  const [d, p, q, dp, dq, qi] = isLarger ? [] : secrets.map(name => toNumber(parts[name]!))
  if (isLarger || p * q !== n || d >= n || p < 3n || q < 3n)
    throw badData('the key is no private key of RSA: its parts do not belong together')
  return { n, e, bits, private: { d, p, q, dp, dq, qi }, parts }
}

function keyIn({ oid, parameters, key }: EncodedKey): DerReader {
  if (oid !== identifier.oid || parameters !== identifier.parameters) throw badData('the key is not one of RSA')
  const outer = new DerReader(key)
  const inner = outer.enter(SEQUENCE)
  outer.end()
  return inner
}

function readPublic(bytes: Bytes): Parts {
  const key = keyIn(readSpki(bytes))
  const parts = { n: key.integer(), e: key.integer() }
  key.end()
  return parts
}

function readPrivate(bytes: Bytes): Parts {
  const key = keyIn(readPkcs8(bytes))
  if (hex(key.integer()) !== '00') throw notSupported('RSA: keys with more than two primes are not taken')
  const parts = { n: key.integer(), e: key.integer(), ...Object.fromEntries(secrets.map(name => [name, key.integer()])) }
  key.end()
  return parts
}

function readRsaJwk(jwk: JsonWebKey): Parts {
  if (jwk.oth !== undefined) throw notSupported('RSA: keys with more than two primes are not taken')
  const parts = { n: jwkBytes(jwk, 'n'), e: jwkBytes(jwk, 'e') }
  return jwk.d === undefined ? parts : { ...parts, ...Object.fromEntries(secrets.map(name => [name, jwkBytes(jwk, name)])) }
}

function read(name: string, format: KeyFormat, data: Bytes | JsonWebKey): Parts {
  if (format === 'spki') return readPublic(data as Bytes)
  if (format === 'pkcs8') return readPrivate(data as Bytes)
  if (format === 'jwk') return readRsaJwk(data as JsonWebKey)
  throw noFormat(name, format)
}

/** What the algorithms of RSA have in common: their keys. */
export function rsa(kind: RsaKind, rest: Omit<Algorithm, 'name'>): Algorithm {
  const { name, publicUsages, privateUsages } = kind
  const alg = (hash: { readonly name: string }): string => kind.alg(hash.name.slice('SHA-'.length))
  const keyOf = (material: RsaMaterial, hash: Hash, extractable: boolean, usages: readonly KeyUsage[]): CryptoKey =>
    makeKey({
      type: material.private === undefined ? 'public' : 'private',
      extractable,
      algorithm: { name, modulusLength: material.bits, publicExponent: material.parts.e, hash: { name: hash.name } },
      usages,
      material,
    })
  return {
    name,
    ...rest,

    generateKey: members => {
      members.required('modulusLength', asLong)
      const exponent = toNumber(members.required('publicExponent', asBytes))
      members.required('hash', asHash)
      return (_, usages) => {
        checkUsages(usages, [...publicUsages, ...privateUsages], `a pair of keys of ${name}`)
        if (exponent < 3n || exponent % 2n === 0n) throw failed(`${name}: publicExponent must be odd, and 3 at least`)
        if (!usages.some(usage => privateUsages.includes(usage))) throw badUsages('a private key must have a usage')
        throw notSupported(`keys of ${name} are not made here, since no audited package makes them: make one elsewhere, and import it`)
      }
    },

    importKey: members => {
      const hash = members.required('hash', asHash)
      return (format, data, extractable, usages) => {
        const isPrivate = format === 'pkcs8' || (format === 'jwk' && (data as JsonWebKey).d !== undefined)
        checkUsages(usages, isPrivate ? privateUsages : publicUsages, `a ${isPrivate ? 'private' : 'public'} key of ${name}`)
        if (format === 'jwk') {
          checkJwk(data as JsonWebKey, { kty: 'RSA', use: kind.use, extractable, usages })
          checkAlg(data as JsonWebKey, alg(hash))
        }
        return keyOf(materialOf(read(name, format, data)), hash, extractable, usages)
      }
    },

    exportKey: (format, key) => {
      const { material, algorithm } = slotsOf<RsaMaterial>(key)
      const { parts } = material
      switch (format) {
        case 'spki':
          checkType(key, 'public', 'format spki')
          return writeSpki({ ...identifier, key: element(SEQUENCE, integer(parts.n), integer(parts.e)) })
        case 'pkcs8': {
          checkType(key, 'private', 'format pkcs8')
          const numbers = [parts.n, parts.e, ...secrets.map(each => parts[each]!)]
          return writePkcs8({ ...identifier, key: element(SEQUENCE, integer(Uint8Array.of(0)), ...numbers.map(integer)) })
        }
        case 'jwk':
          return writeJwk(key, { kty: 'RSA', alg: alg(algorithm.hash!), ...parts })
        default:
          throw noFormat(name, format)
      }
    },
  }
}
