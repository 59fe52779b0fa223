/**
 * The distinguished encoding of ASN.1 (X.690 section 10), as much as keys need: SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7) and
 * PrivateKeyInfo (RFC 5208 section 5, RFC 5958 section 2). A reader takes each element where it must stand, and nothing else.
 */
import { type Bytes, join } from './bytes.ts'
import { badData } from './errors.ts'

export const INTEGER = 0x02
export const BIT_STRING = 0x03
export const OCTET_STRING = 0x04
const OID = 0x06
export const SEQUENCE = 0x30
/** [0] and [1], constructed. */
export const CONTEXT_0 = 0xa0
export const CONTEXT_1 = 0xa1
/** [1] of the primitive type that it stands for. */
const IMPLICIT_1 = 0x81

export const hex = (bytes: Uint8Array): string => Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')
export const unhex = (text: string): Bytes => Uint8Array.from(text.match(/../g) ?? [], byte => Number.parseInt(byte, 16))

export class DerReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  nextIs(tag: number): boolean {
    return this.#bytes[this.#at] === tag
  }

  /**
   * The content of the next element.
   * @throws DataError when it has another tag, is cut off, or has a length that could be written shorter
   */
  take(tag: number): Uint8Array {
    const bytes = this.#bytes
    if (bytes[this.#at] !== tag) throw badData(`the key is not what DER has for it: no element 0x${tag.toString(16)} at byte ${this.#at}`)
    let at = this.#at + 1
    let length = bytes[at++]
    if (length > 0x7f) {
      const count = length & 0x7f
      if (count === 0 || count > 3) throw cutOff()
      length = 0
      for (let i = 0; i < count; i++) length = length * 256 + bytes[at++]
      if (length < 0x80 || length < 256 ** (count - 1)) throw badData('the key is no DER: a length is longer than it must be')
    }
    // Also what came from beyond the end, NaN.
    if (!(length <= bytes.length - at)) throw cutOff()
    this.#at = at + length
    return bytes.subarray(at, this.#at)
  }

  enter(tag: number): DerReader {
    return new DerReader(this.take(tag))
  }

  /** An integer that is not negative, without the byte of its sign. */
  integer(): Uint8Array {
    const bytes = this.take(INTEGER)
    if (bytes.length === 0 || bytes[0] > 0x7f || (bytes.length > 1 && bytes[0] === 0 && bytes[1] < 0x80))
      throw badData('the key is no DER: an integer is negative, or longer than it must be')
    return bytes.length > 1 && bytes[0] === 0 ? bytes.subarray(1) : bytes
  }

  /** A string of whole bytes. */
  bits(): Uint8Array {
    const bytes = this.take(BIT_STRING)
    if (bytes[0] !== 0) throw badData('the key is no DER: a bit string does not have whole bytes')
    return bytes.subarray(1)
  }

  rest(): Uint8Array {
    const rest = this.#bytes.subarray(this.#at)
    this.#at = this.#bytes.length
    return rest
  }

  /** @throws DataError when more follows */
  end(): void {
    if (!this.isAtEnd) throw badData('the key is not what DER has for it: something follows it')
  }
}

const cutOff = () => badData('the key is no DER: it is cut off')

/** An element with what it consists of. */
export function element(tag: number, ...parts: readonly Uint8Array[]): Bytes {
  const content = join(...parts)
  const { length } = content
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return join(Uint8Array.of(tag, ...head), content)
}

/** From a number's bytes, without zeros in front. */
export function integer(bytes: Uint8Array): Bytes {
  const first = bytes.findIndex(byte => byte !== 0)
  const short = first < 0 ? Uint8Array.of(0) : bytes.subarray(first)
  return short[0] > 0x7f ? element(INTEGER, Uint8Array.of(0), short) : element(INTEGER, short)
}

/** Whose key it is: an object identifier, and what follows it in an AlgorithmIdentifier; both in hexadecimal. */
export interface Identifier {
  readonly oid: string
  readonly parameters: string
}

function readIdentifier(reader: DerReader): Identifier {
  const inner = reader.enter(SEQUENCE)
  return { oid: hex(inner.take(OID)), parameters: hex(inner.rest()) }
}

const writeIdentifier = ({ oid, parameters }: Identifier): Bytes => element(SEQUENCE, element(OID, unhex(oid)), unhex(parameters))

/** As parameters of an AlgorithmIdentifier: a curve. */
export const oidParameter = (oid: string): string => hex(element(OID, unhex(oid)))

export interface EncodedKey extends Identifier {
  readonly key: Uint8Array
}

/** @throws DataError */
export function readSpki(bytes: Uint8Array): EncodedKey {
  const outer = new DerReader(bytes)
  const info = outer.enter(SEQUENCE)
  outer.end()
  const identifier = readIdentifier(info)
  const key = info.bits()
  info.end()
  return { ...identifier, key }
}

export const writeSpki = (key: EncodedKey): Bytes => element(SEQUENCE, writeIdentifier(key), element(BIT_STRING, Uint8Array.of(0), key.key))

/** @throws DataError */
export function readPkcs8(bytes: Uint8Array): EncodedKey {
  const outer = new DerReader(bytes)
  const info = outer.enter(SEQUENCE)
  outer.end()
  const version = hex(info.integer())
  if (version !== '00' && version !== '01') throw badData(`the key is of a version that is not known: ${version}`)
  const identifier = readIdentifier(info)
  const key = info.take(OCTET_STRING)
  // Attributes, and, in version 1, the public key, which is made from the private one anyway.
  if (info.nextIs(CONTEXT_0)) info.take(CONTEXT_0)
  if (version === '01' && info.nextIs(IMPLICIT_1)) info.take(IMPLICIT_1)
  info.end()
  return { ...identifier, key }
}

export const writePkcs8 = (key: EncodedKey): Bytes =>
  element(SEQUENCE, integer(Uint8Array.of(0)), writeIdentifier(key), element(OCTET_STRING, key.key))
