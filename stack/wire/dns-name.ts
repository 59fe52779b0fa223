/**
 * Names of the DNS (RFC 1035 section 3.1). Inside they are text in one form only, so that equal names are equal strings: lower case
 * (RFC 4343), labels with dots between them and none at the end, every byte that is no letter, digit, hyphen or underscore as `\DDD`. The
 * root is the empty string. So no name that a server makes up holds a character that means something to a shell, a log or a terminal.
 */

/** Bytes of the longest label and name, its length bytes included (RFC 1035 section 2.3.4). */
const LONGEST_LABEL = 63
const LONGEST_NAME = 255
const HEADER = 12

/** A message that is not what RFC 1035 says. The text tells what and at which byte. */
export class DnsFormatError extends Error {
  override name = 'DnsFormatError'
}

/** The one form of a name that is written in ASCII, with or without a dot at its end, perhaps with escapes; undefined when it is none. */
export function canonicalName(text: string): string | undefined {
  if (text === '.') return ''
  let wrong = false
  const escaped = text.replace(/\\(\d{3})|\\?([^])/g, (all, digits: string | undefined, character: string) => {
    if (all === '.') return all
    const code = digits === undefined ? character.charCodeAt(0) : +digits
    if (code > (digits === undefined ? 127 : 255) || all === '\\' || /^\\\d$/.test(all)) wrong = true
    return escapeByte(code & 255)
  })
  if (wrong) return undefined
  const name = escaped.endsWith('.') ? escaped.slice(0, -1) : escaped
  let size = 1
  for (const label of name.split('.')) {
    const bytes = label.includes('\\') ? label.replace(/\\\d{3}/g, '?').length : label.length
    size += bytes + 1
    if (bytes === 0 || bytes > LONGEST_LABEL || size > LONGEST_NAME) return undefined
  }
  return name
}

/** Writes a name in its one form at `at`; returns where it ends. */
export function writeName(into: Uint8Array, at: number, name: string): number {
  for (const label of name === '' ? [] : name.split('.')) {
    const lengthAt = at++
    for (let i = 0; i < label.length; i++) {
      let code = label.charCodeAt(i)
      if (code === 92) {
        code = +label.slice(i + 1, i + 4)
        i += 3
      }
      into[at++] = code
    }
    into[lengthAt] = at - lengthAt - 1
  }
  into[at++] = 0
  return at
}

export interface ReadName {
  readonly name: string
  /** Where what follows the name begins. */
  readonly next: number
}

/**
 * Reads the name at `at` of a message. A compression pointer must lead to a place before the labels that it ends (RFC 1035 section 4.1.4:
 * "a prior occurrence"), so each leads further back: there are no loops, and no name takes more steps than it has bytes.
 */
export function readName(message: Uint8Array, at: number): ReadName {
  const start = at
  let before = at
  let next = -1
  let size = 1
  let name = ''
  for (;;) {
    if (at >= message.length) throw new DnsFormatError(`the name at byte ${start} runs over the end of the message`)
    const length = message[at]
    if (length === 0) break
    if (length >= 0xc0) {
      if (at + 1 >= message.length) throw new DnsFormatError(`the name at byte ${start} runs over the end of the message`)
      const target = ((length & 0x3f) << 8) | message[at + 1]
      if (target < HEADER || target >= before)
        throw new DnsFormatError(`the name at byte ${start} points from ${at} to ${target}, not back`)
      if (next < 0) next = at + 2
      at = before = target
      continue
    }
    if (length > LONGEST_LABEL) throw new DnsFormatError(`the name at byte ${start} has a label of unknown kind (0x${length.toString(16)})`)
    size += length + 1
    if (size > LONGEST_NAME) throw new DnsFormatError(`the name at byte ${start} is longer than ${LONGEST_NAME} bytes`)
    if (at + 1 + length > message.length) throw new DnsFormatError(`the name at byte ${start} runs over the end of the message`)
    const label = readLabel(message, at + 1, length)
    name = name === '' ? label : `${name}.${label}`
    at += 1 + length
  }
  return { name, next: next < 0 ? at + 1 : next }
}

function readLabel(message: Uint8Array, at: number, length: number): string {
  const text = String.fromCharCode(...message.subarray(at, at + length))
  if (/^[\w-]+$/.test(text)) return text.toLowerCase()
  let escaped = ''
  for (let i = 0; i < length; i++) escaped += escapeByte(message[at + i])
  return escaped
}

function escapeByte(code: number): string {
  const character = String.fromCharCode(code)
  return /[\w-]/.test(character) ? character.toLowerCase() : `\\${String(code).padStart(3, '0')}`
}
