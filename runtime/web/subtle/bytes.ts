/** Bytes and numbers that programs hand in, converted as Web IDL says; and base64url (RFC 4648 section 5), which JSON Web Keys are written in. */
import { atob, btoa } from '../base64.ts'

export type Bytes = Uint8Array<ArrayBuffer>

export const isBufferSource = (value: unknown): value is ArrayBuffer | ArrayBufferView =>
  ArrayBuffer.isView(value) || value instanceof ArrayBuffer

/** What an error says of a value. */
export const kindOf = (value: unknown): string => (value === null ? 'null' : typeof value)

/**
 * A copy of the bytes of a BufferSource, https://webidl.spec.whatwg.org/#dfn-get-buffer-source-copy : what the program does to them later
 * changes nothing.
 * @throws TypeError for anything else, and for shared memory
 */
export function copyOf(value: unknown, what: string): Bytes {
  if (!isBufferSource(value)) throw new TypeError(`${what} must be an ArrayBuffer or a view of one, not ${kindOf(value)}`)
  const [buffer, offset, length] = ArrayBuffer.isView(value)
    ? [value.buffer, value.byteOffset, value.byteLength]
    : [value, 0, value.byteLength]
  if (!(buffer instanceof ArrayBuffer)) throw new TypeError(`${what} must not lie in shared memory`)
  return buffer.detached ? new Uint8Array(0) : new Uint8Array(buffer, offset, length).slice()
}

/** An integer as [EnforceRange] has it, https://webidl.spec.whatwg.org/#abstract-opdef-converttoint . */
export function integer(value: unknown, most: number, what: string): number {
  const number = Math.trunc(Number(value))
  if (!(number >= 0 && number <= most)) throw new TypeError(`${what} must be a number from 0 to ${most}, not ${String(value)}`)
  return number + 0 // not -0
}

/** Whether they are the same, in a time that depends on their lengths alone. */
export function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= a[i] ^ b[i]
  return difference === 0
}

export function join(...parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** The first `length` bits; bits of the last byte beyond them are 0. */
export function firstBits(bytes: Uint8Array, length: number): Bytes {
  const first = bytes.slice(0, Math.ceil(length / 8)) as Bytes
  if (length % 8 !== 0) first[first.length - 1] &= 0xff << (8 - (length % 8))
  return first
}

export const toBase64url = (bytes: Uint8Array): string => {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

/** undefined: it is none. */
export function fromBase64url(text: string): Bytes | undefined {
  if (!/^[\w-]*$/.test(text) || text.length % 4 === 1) return undefined
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  return Uint8Array.from(binary, character => character.charCodeAt(0))
}
