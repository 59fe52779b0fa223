/** SubtleCrypto: https://w3c.github.io/webcrypto/#subtlecrypto-interface . What it can do is in the algorithms that are linked. */
import { algorithmOf, asKey, can, formats, type KeyFormat, type Normalized, normalize, type Operation } from './algorithms.ts'
import { type Bytes, copyOf, integer, isBufferSource, kindOf } from './bytes.ts'
import { badData, badUsages, invalidAccess, notSupported } from './errors.ts'
import { type JsonWebKey, readJwk } from './jwk.ts'
import { CryptoKey, type CryptoKeyPair, type KeyUsage, slotsOf, usageNames } from './key.ts'

const token = {}

/** The only one. */
export const makeSubtle = (): SubtleCrypto => new SubtleCrypto(token)

/** Each method begins at once, so that what it is given may change afterwards, and fails by its promise only. */
export class SubtleCrypto {
  /** With a default, so that its length is 0. */
  constructor(mine: unknown = undefined) {
    if (mine !== token) throw new TypeError('SubtleCrypto: there is one, crypto.subtle; no other can be made')
  }

  async encrypt(algorithm: unknown, key: unknown, data: unknown): Promise<ArrayBuffer> {
    return await withData('encrypt', 'encrypt', algorithm, key, data, arguments.length)
  }

  async decrypt(algorithm: unknown, key: unknown, data: unknown): Promise<ArrayBuffer> {
    return await withData('decrypt', 'decrypt', algorithm, key, data, arguments.length)
  }

  async sign(algorithm: unknown, key: unknown, data: unknown): Promise<ArrayBuffer> {
    return await withData('sign', 'sign', algorithm, key, data, arguments.length)
  }

  async verify(algorithm: unknown, key: unknown, signature: unknown, data: unknown): Promise<boolean> {
    atLeast(4, arguments.length, 'verify')
    const own = asKey(key, 'verify: key')
    const [bytes, signed] = [copyOf(signature, 'verify: signature'), copyOf(data, 'verify: data')]
    const normalized = normalize(algorithm, 'verify')
    permit(normalized, own, 'verify')
    return await normalized.run(own, bytes, signed)
  }

  async digest(algorithm: unknown, data: unknown): Promise<ArrayBuffer> {
    atLeast(2, arguments.length, 'digest')
    const bytes = copyOf(data, 'digest: data')
    return bufferOf(await normalize(algorithm, 'digest').run(bytes))
  }

  async generateKey(algorithm: unknown, extractable: unknown, keyUsages: unknown): Promise<CryptoKey | CryptoKeyPair> {
    atLeast(3, arguments.length, 'generateKey')
    const usages = asUsages(keyUsages)
    const made = await normalize(algorithm, 'generateKey').run(Boolean(extractable), usages)
    checkSome(made instanceof CryptoKey ? made : made.privateKey)
    return made
  }

  async deriveKey(algorithm: unknown, baseKey: unknown, derived: unknown, extractable: unknown, keyUsages: unknown): Promise<CryptoKey> {
    atLeast(5, arguments.length, 'deriveKey')
    const base = asKey(baseKey, 'deriveKey: baseKey')
    const usages = asUsages(keyUsages)
    const normalized = normalize(algorithm, 'deriveBits')
    const into = normalize(derived, 'importKey')
    const length = normalize(derived, 'keyLength')
    permit(normalized, base, 'deriveKey')
    const bits = await normalized.run(base, length.run())
    return await imported(into, 'raw', new Uint8Array(bits), Boolean(extractable), usages)
  }

  async deriveBits(algorithm: unknown, baseKey: unknown, length: unknown = null): Promise<ArrayBuffer> {
    atLeast(2, arguments.length, 'deriveBits')
    const base = asKey(baseKey, 'deriveBits: baseKey')
    const bits = length === null ? null : integer(length, 0xffffffff, 'deriveBits: length')
    const normalized = normalize(algorithm, 'deriveBits')
    permit(normalized, base, 'deriveBits')
    return bufferOf(await normalized.run(base, bits))
  }

  async importKey(format: unknown, keyData: unknown, algorithm: unknown, extractable: unknown, keyUsages: unknown): Promise<CryptoKey> {
    atLeast(5, arguments.length, 'importKey')
    const as = asFormat(format)
    const data = as === 'jwk' ? asJwk(keyData) : copyOf(keyData, 'importKey: keyData')
    const usages = asUsages(keyUsages)
    return await imported(normalize(algorithm, 'importKey'), as, data, Boolean(extractable), usages)
  }

  async exportKey(format: unknown, key: unknown): Promise<ArrayBuffer | JsonWebKey> {
    atLeast(2, arguments.length, 'exportKey')
    const exported = exportOf(asFormat(format), asKey(key, 'exportKey: key'))
    return exported instanceof Uint8Array ? bufferOf(exported) : exported
  }

  async wrapKey(format: unknown, key: unknown, wrappingKey: unknown, wrapAlgorithm: unknown): Promise<ArrayBuffer> {
    atLeast(4, arguments.length, 'wrapKey')
    const as = asFormat(format)
    const [own, wrapping] = [asKey(key, 'wrapKey: key'), asKey(wrappingKey, 'wrapKey: wrappingKey')]
    const normalized = normalize(wrapAlgorithm, can(wrapAlgorithm, 'wrapKey') ? 'wrapKey' : 'encrypt')
    permit(normalized, wrapping, 'wrapKey')
    const exported = exportOf(as, own)
    const bytes = exported instanceof Uint8Array ? exported : (new TextEncoder().encode(JSON.stringify(exported)) as Bytes)
    return bufferOf(await normalized.run(wrapping, bytes))
  }

  async unwrapKey(
    format: unknown,
    wrappedKey: unknown,
    unwrappingKey: unknown,
    unwrapAlgorithm: unknown,
    algorithm: unknown,
    extractable: unknown,
    keyUsages: unknown,
  ): Promise<CryptoKey> {
    atLeast(7, arguments.length, 'unwrapKey')
    const as = asFormat(format)
    const wrapped = copyOf(wrappedKey, 'unwrapKey: wrappedKey')
    const unwrapping = asKey(unwrappingKey, 'unwrapKey: unwrappingKey')
    const usages = asUsages(keyUsages)
    const normalized = normalize(unwrapAlgorithm, can(unwrapAlgorithm, 'unwrapKey') ? 'unwrapKey' : 'decrypt')
    const into = normalize(algorithm, 'importKey')
    permit(normalized, unwrapping, 'unwrapKey')
    const bytes = new Uint8Array(await normalized.run(unwrapping, wrapped))
    return await imported(into, as, as === 'jwk' ? parseJwk(bytes) : bytes, Boolean(extractable), usages)
  }
}

async function withData(
  operation: 'encrypt' | 'decrypt' | 'sign',
  usage: KeyUsage,
  algorithm: unknown,
  key: unknown,
  data: unknown,
  given: number,
): Promise<ArrayBuffer> {
  atLeast(3, given, operation)
  const own = asKey(key, `${operation}: key`)
  const bytes = copyOf(data, `${operation}: data`)
  const normalized = normalize(algorithm, operation)
  permit(normalized, own, usage)
  return bufferOf(await normalized.run(own, bytes))
}

async function imported(
  { run }: Normalized<'importKey'>,
  format: KeyFormat,
  data: Bytes | JsonWebKey,
  extractable: boolean,
  usages: readonly KeyUsage[],
): Promise<CryptoKey> {
  const key = await run(format, data, extractable, usages)
  checkSome(key)
  return key
}

function exportOf(format: KeyFormat, key: CryptoKey): Bytes | JsonWebKey {
  const { algorithm, extractable } = slotsOf(key)
  const { exportKey } = algorithmOf(algorithm.name)
  if (exportKey === undefined) throw notSupported(`keys of ${algorithm.name} cannot be exported`)
  if (!extractable) throw invalidAccess('this key is not extractable: it was made so')
  return exportKey(format, key)
}

/** @throws InvalidAccessError when the key is for another algorithm, or not for this */
function permit({ name }: Pick<Normalized<Operation>, 'name'>, key: CryptoKey, usage: KeyUsage): void {
  const { algorithm, usages } = slotsOf(key)
  if (algorithm.name !== name) throw invalidAccess(`the key is one of ${algorithm.name}, not of ${name}`)
  if (!usages.includes(usage))
    throw invalidAccess(`the key may not be used for ${usage}: it was made for ${usages.join(', ') || 'nothing'}`)
}

/** @throws SyntaxError for a key that could not be used for anything */
function checkSome(key: CryptoKey): void {
  const { type, usages } = slotsOf(key)
  if (type !== 'public' && usages.length === 0) throw badUsages(`a ${type} key must have a usage`)
}

function atLeast(count: number, given: number, method: string): void {
  if (given < count) throw new TypeError(`crypto.subtle.${method} takes ${count} arguments, and got ${given}`)
}

function asFormat(value: unknown): KeyFormat {
  const format = String(value) as KeyFormat
  if (!formats.includes(format)) throw new TypeError(`the format of a key must be one of ${formats.join(', ')}, not ${format}`)
  return format
}

function asUsages(value: unknown): KeyUsage[] {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null)
    throw new TypeError(`the usages of a key must be an array, not ${kindOf(value)}`)
  return Array.from(value as Iterable<unknown>, each => {
    const usage = String(each) as KeyUsage
    if (!usageNames.includes(usage)) throw new TypeError(`the usage of a key must be one of ${usageNames.join(', ')}, not ${usage}`)
    return usage
  })
}

function asJwk(value: unknown): JsonWebKey {
  if (typeof value !== 'object' || value === null || isBufferSource(value))
    throw new TypeError(`a JSON Web Key must be an object, not ${isBufferSource(value) ? 'bytes' : kindOf(value)}`)
  return readJwk(value)
}

/** https://w3c.github.io/webcrypto/#concept-parse-a-jwk */
function parseJwk(bytes: Bytes): JsonWebKey {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    throw badData('what was unwrapped is no JSON')
  }
  if (typeof value !== 'object' || value === null) throw badData('what was unwrapped is no JSON Web Key')
  const jwk = readJwk(value)
  if (jwk.kty === undefined) throw badData('what was unwrapped is no JSON Web Key: it has no kty')
  return jwk
}

/** Its own, without what others may see around it. */
const bufferOf = (bytes: Uint8Array): ArrayBuffer =>
  (bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : bytes.slice().buffer) as ArrayBuffer
