/** Keys that are nothing but bytes: raw, and JSON Web Keys of kind `oct` (RFC 7518 section 6.4). */
import type { KeyFormat } from './algorithms.ts'
import type { Bytes } from './bytes.ts'
import { notSupported } from './errors.ts'
import { checkAlg, checkJwk, type JsonWebKey, jwkBytes, type Wanted, writeJwk } from './jwk.ts'
import { type CryptoKey, slotsOf } from './key.ts'

export interface WantedSecret extends Omit<Wanted, 'kty'> {
  readonly algorithm: string
  /** What `alg` is of a key with these bytes; undefined: such a key has none, and must have none. */
  alg(key: Bytes): string | undefined
}

/** The bytes of a key that is imported. */
export function importSecret(format: KeyFormat, data: Bytes | JsonWebKey, wanted: WantedSecret): Bytes {
  if (format === 'raw') return data as Bytes
  if (format !== 'jwk') throw noFormat(wanted.algorithm, format)
  const jwk = data as JsonWebKey
  checkJwk(jwk, { kty: 'oct', ...wanted })
  const bytes = jwkBytes(jwk, 'k')
  const alg = wanted.alg(bytes)
  if (alg !== undefined) checkAlg(jwk, alg)
  return bytes
}

export function exportSecret(format: KeyFormat, key: CryptoKey, alg: string | undefined): Bytes | JsonWebKey {
  const { material, algorithm } = slotsOf<Bytes>(key)
  if (format === 'raw') return material.slice()
  if (format !== 'jwk') throw noFormat(algorithm.name, format)
  return writeJwk(key, { kty: 'oct', k: material, alg })
}

export const noFormat = (algorithm: string, format: KeyFormat) => notSupported(`keys of ${algorithm} have no format ${format}`)
