/**
 * The algorithms that are in an image, and what a program says of one: https://w3c.github.io/webcrypto/#algorithm-normalization . Those that the
 * program names are linked (link.ts); only they are here.
 */
import type { CHash } from '@noble/hashes/utils.js'
import { type Bytes, copyOf, integer, kindOf } from './bytes.ts'
import { notSupported } from './errors.ts'
import type { JsonWebKey } from './jwk.ts'
import { type CryptoKey, type CryptoKeyPair, isKey, type KeyUsage } from './key.ts'

export const formats = ['raw', 'pkcs8', 'spki', 'jwk'] as const
export type KeyFormat = (typeof formats)[number]

type Result<T> = T | Promise<T>

/** What an algorithm does once its parameters are read. */
interface Operations {
  digest(data: Bytes): Result<Uint8Array>
  encrypt(key: CryptoKey, data: Bytes): Result<Uint8Array>
  decrypt(key: CryptoKey, data: Bytes): Result<Uint8Array>
  wrapKey(key: CryptoKey, data: Bytes): Result<Uint8Array>
  unwrapKey(key: CryptoKey, data: Bytes): Result<Uint8Array>
  sign(key: CryptoKey, data: Bytes): Result<Uint8Array>
  verify(key: CryptoKey, signature: Bytes, data: Bytes): Result<boolean>
  /** @param length bits; null: all that there are */
  deriveBits(key: CryptoKey, length: number | null): Result<Uint8Array>
  generateKey(extractable: boolean, usages: readonly KeyUsage[]): Result<CryptoKey | CryptoKeyPair>
  importKey(format: KeyFormat, data: Bytes | JsonWebKey, extractable: boolean, usages: readonly KeyUsage[]): Result<CryptoKey>
  /** Bits that a key of it is made of; null: any number. */
  keyLength(): number | null
}
export type Operation = keyof Operations

/** An operation reads its parameters at once, and says what is to be done with them. */
export type Algorithm = { readonly [Op in Operation]?: (members: Members) => Operations[Op] } & {
  /** As the specification writes it. */
  readonly name: string
  /** Of those that can be the `hash` of others. */
  readonly hash?: CHash
  exportKey?(format: KeyFormat, key: CryptoKey): Bytes | JsonWebKey
}

/** A hash function with its name. */
export interface Hash {
  readonly name: string
  readonly hash: CHash
}

const linked = new Map<string, Algorithm>()

/** All that there are, so that an error can tell what is nowhere from what is not in this image. */
const known = `SHA-1 SHA-256 SHA-384 SHA-512 HMAC AES-GCM AES-CBC AES-CTR AES-KW HKDF PBKDF2 ECDSA ECDH Ed25519 X25519
RSASSA-PKCS1-v1_5 RSA-PSS RSA-OAEP`.split(/\s/)

export function register(algorithms: readonly Algorithm[]): void {
  for (const each of algorithms) linked.set(each.name.toUpperCase(), each)
}

export interface Normalized<Op extends Operation> {
  readonly name: string
  readonly algorithm: Algorithm
  readonly run: Operations[Op]
}

/**
 * Reads what a program says of an algorithm.
 * @throws NotSupportedError when it does not exist, or cannot do this; TypeError for wrong parameters
 */
export function normalize<Op extends Operation>(identifier: unknown, operation: Op): Normalized<Op> {
  const { name, members } = read(identifier)
  const algorithm = find(name)
  const make = algorithm[operation] as ((members: Members) => Operations[Op]) | undefined
  if (make === undefined) throw notSupported(`${algorithm.name} cannot do this (${operation})`)
  return { name: algorithm.name, algorithm, run: make(new Members(algorithm.name, members)) }
}

export const can = (identifier: unknown, operation: Operation): boolean => find(read(identifier).name)[operation] !== undefined

/** By the name that a key has. */
export const algorithmOf = (name: string): Algorithm => find(name)

function read(identifier: unknown): { name: string; members: object } {
  if ((typeof identifier !== 'object' && typeof identifier !== 'function') || identifier === null)
    return { name: String(identifier), members: {} }
  const { name } = identifier as { name?: unknown }
  if (name === undefined) throw new TypeError('an algorithm must be a name, or an object with a name')
  return { name: String(name), members: identifier }
}

function find(name: string): Algorithm {
  const found = linked.get(name.toUpperCase())
  if (found !== undefined) return found
  const there = known.find(each => each.toUpperCase() === name.toUpperCase())
  if (there === undefined) throw notSupported(`there is no algorithm ${name}; there are ${known.join(', ')}`)
  throw notSupported(
    `${there} is not in this image, which has the algorithms that its program names: write '${there}' in the program, and build it again`,
  )
}

/** The members of an algorithm's dictionary. Each is read once. */
export class Members {
  readonly algorithm: string
  readonly #from: object

  constructor(algorithm: string, from: object) {
    this.algorithm = algorithm
    this.#from = from
  }

  /** A member converted; undefined when it is not there. */
  optional<T>(name: string, convert: (value: unknown, what: string) => T): T | undefined {
    const value = (this.#from as Record<string, unknown>)[name]
    return value === undefined ? undefined : convert(value, `${this.algorithm}: ${name}`)
  }

  /** @throws TypeError when it is not there */
  required<T>(name: string, convert: (value: unknown, what: string) => T): T {
    const value = this.optional(name, convert)
    if (value === undefined) throw new TypeError(`${this.algorithm}: ${name} is missing`)
    return value
  }
}

export const asBytes = copyOf
export const asOctet = (value: unknown, what: string): number => integer(value, 0xff, what)
export const asShort = (value: unknown, what: string): number => integer(value, 0xffff, what)
export const asLong = (value: unknown, what: string): number => integer(value, 0xffffffff, what)
export const asText = (value: unknown): string => String(value)

export function asHash(value: unknown, what: string): Hash {
  const { name, hash } = normalize(value, 'digest').algorithm
  if (hash === undefined) throw notSupported(`${what}: ${name} is no hash function`)
  return { name, hash }
}

export function asKey(value: unknown, what: string): CryptoKey {
  if (!isKey(value)) throw new TypeError(`${what} must be a CryptoKey, not ${kindOf(value)}`)
  return value
}
