/** JSON Web Keys, RFC 7517, as https://w3c.github.io/webcrypto/#JsonWebKey-dictionary has them. */
import { type Bytes, fromBase64url, toBase64url } from './bytes.ts'
import { badData } from './errors.ts'
import { type CryptoKey, type KeyUsage, slotsOf } from './key.ts'

const texts = ['kty', 'use', 'alg', 'crv', 'x', 'y', 'd', 'n', 'e', 'p', 'q', 'dp', 'dq', 'qi', 'k'] as const

export type JsonWebKey = { [name in (typeof texts)[number]]?: string } & { key_ops?: string[]; ext?: boolean; oth?: unknown[] }

/** Reads the members that keys have, once each. */
export function readJwk(value: object): JsonWebKey {
  const from = value as Record<string, unknown>
  const jwk: JsonWebKey = {}
  for (const name of texts) {
    const text = from[name]
    if (text !== undefined) jwk[name] = String(text)
  }
  const { key_ops, ext, oth } = from
  if (key_ops !== undefined) jwk.key_ops = Array.from(key_ops as Iterable<unknown>, String)
  if (ext !== undefined) jwk.ext = Boolean(ext)
  if (oth !== undefined) jwk.oth = Array.from(oth as Iterable<unknown>)
  return jwk
}

export interface Wanted {
  readonly kty: string
  /** What `use` must be when the key is to be used: signatures, or encryption. */
  readonly use: 'sig' | 'enc'
  readonly extractable: boolean
  readonly usages: readonly KeyUsage[]
}

/**
 * What all kinds have in common.
 * @throws DataError
 */
export function checkJwk(jwk: JsonWebKey, { kty, use, extractable, usages }: Wanted): void {
  if (jwk.kty !== kty) throw wrong('kty', `must be ${kty}, not ${jwk.kty}`)
  if (usages.length > 0 && jwk.use !== undefined && jwk.use !== use) throw wrong('use', `must be ${use}, not ${jwk.use}`)
  if (jwk.key_ops !== undefined) {
    // RFC 7517 section 4.3
    if (new Set(jwk.key_ops).size < jwk.key_ops.length) throw wrong('key_ops', 'must not have one twice')
    const lacking = usages.find(usage => !jwk.key_ops!.includes(usage))
    if (lacking !== undefined) throw wrong('key_ops', `does not have ${lacking}`)
  }
  if (jwk.ext === false && extractable) throw wrong('ext', 'is false: this key must not be extractable')
}

/** @throws DataError when it is there, and none of these */
export function checkAlg(jwk: JsonWebKey, ...possible: readonly string[]): void {
  if (jwk.alg !== undefined && !possible.includes(jwk.alg)) throw wrong('alg', `must be ${possible.join(' or ')}, not ${jwk.alg}`)
}

/**
 * The bytes that a member has.
 * @param length that they must have
 * @throws DataError
 */
export function jwkBytes(jwk: JsonWebKey, name: (typeof texts)[number], length?: number): Bytes {
  const text = jwk[name]
  if (text === undefined) throw wrong(name, 'is missing')
  const bytes = fromBase64url(text)
  if (bytes === undefined) throw wrong(name, 'is not base64url')
  if (length !== undefined && bytes.length !== length) throw wrong(name, `must have ${length} bytes, not ${bytes.length}`)
  return bytes
}

export const wrong = (member: string, what: string) => badData(`a JSON Web Key: ${member} ${what}`)

/**
 * A key that is exported.
 * @param members bytes become base64url
 */
export function writeJwk(key: CryptoKey, members: Readonly<Record<string, string | Uint8Array | undefined>>): JsonWebKey {
  const { usages, extractable } = slotsOf(key)
  const jwk: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(members))
    if (value !== undefined) jwk[name] = typeof value === 'string' ? value : toBase64url(value)
  return { ...jwk, key_ops: [...usages], ext: extractable }
}
