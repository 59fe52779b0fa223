/**
 * What heads of requests and of responses have in common (RFC 9112 sections 2, 5, 6 and 9), strictly: what two programs could understand
 * differently is refused, because that is what request smuggling and poisoned responses are made of.
 */
import { BadMessage } from './bad-message.ts'
import { fieldColon, NOT_TEXT, trimmed } from './field.ts'

/** Bounds on a head: bytes of the whole, and number of fields. */
export const MAX_HEAD = 16 * 1024
const MAX_FIELDS = 100

/** Instead of the length of a body in bytes. */
export const CHUNKED = -1
export const UNTIL_CLOSE = -2

export type Field = readonly [name: string, value: string]

/** The lines of a head; `text` is what comes before the empty line, one character a byte, without its line end. */
export function headLines(text: string): string[] | BadMessage {
  if (NOT_TEXT.test(text)) return new BadMessage(400, 'the head contains control characters')
  const lines = text.split('\r\n')
  return lines.length - 1 > MAX_FIELDS ? new BadMessage(431, `there are more than ${MAX_FIELDS} header fields`) : lines
}

/** The fields of a head. Those that say where its message ends are understood here; others are for who knows their names. */
export class HeadFields {
  /** Names in lower case, in the order of the message. */
  readonly list: Field[] = []
  #length: string | undefined = undefined
  #coding: string | undefined = undefined
  #connection = ''

  /**
   * Reads the lines of a head behind its first. `special` is asked about each field: what it returns is what is wrong with it; true when
   * it has put it into the list itself.
   */
  read(lines: readonly string[], special: (name: string, value: string) => BadMessage | boolean): BadMessage | undefined {
    for (let i = 1; i < lines.length; i++) {
      const line = lines[i]
      const colon = fieldColon(line)
      if (colon < 0) return new BadMessage(400, `header line ${i} is not of the form name: value`)
      if (line.includes('\r') || line.includes('\n')) return new BadMessage(400, `header line ${i} contains half a line end`)
      const name = line.slice(0, colon).toLowerCase()
      const value = trimmed(line, colon + 1)
      if (name === 'content-length') {
        if (this.#length !== undefined) return new BadMessage(400, 'there is more than one Content-Length field')
        this.#length = value
      } else if (name === 'transfer-encoding') {
        this.#coding = this.#coding === undefined ? value : `${this.#coding}, ${value}`
      } else if (name === 'connection') {
        this.#connection += `${value.toLowerCase()},`
      } else {
        const verdict = special(name, value)
        if (verdict === true) continue
        if (verdict !== false) return verdict
      }
      this.list.push([name, value])
    }
    return undefined
  }

  /** A field says how long the body is. */
  get isFramed(): boolean {
    return this.#length !== undefined || this.#coding !== undefined
  }

  /**
   * Bytes of the body, or CHUNKED (RFC 9112 section 6.3).
   * @param unframed the same for a message that does not say
   */
  bodyLength(isHttp11: boolean, unframed: number): number | BadMessage {
    const length = this.#length
    const coding = this.#coding
    if (coding !== undefined) {
      if (length !== undefined) return new BadMessage(400, 'there are both Content-Length and Transfer-Encoding')
      if (!isHttp11) return new BadMessage(400, 'HTTP/1.0 has no Transfer-Encoding')
      if (coding.toLowerCase() !== 'chunked') return new BadMessage(501, 'the only transfer coding here is chunked')
      return CHUNKED
    }
    if (length === undefined) return unframed
    if (!/^\d{1,15}$/.test(length)) return new BadMessage(400, 'Content-Length is not a number')
    return +length
  }

  /** The connection may be used again behind the message (section 9.3). */
  keepsAlive(isHttp11: boolean): boolean {
    if (this.#connection === '') return isHttp11
    const tokens = this.#connection.split(',').map(token => token.trim())
    return isHttp11 ? !tokens.includes('close') : tokens.includes('keep-alive') && !tokens.includes('close')
  }
}

/** Whether a head without an end can still become one: undefined when it can. `size` is the bytes that `text` was decoded from. */
export function whyIncomplete(text: string, size: number): BadMessage | undefined {
  if (size === MAX_HEAD) return new BadMessage(431, `the head is longer than ${MAX_HEAD} bytes`)
  // Decoding ends at a NUL.
  if (text.length < size) return new BadMessage(400, 'the head contains control characters')
  if (text.includes('\n\n')) return new BadMessage(400, 'lines must end with CR LF')
  return undefined
}
