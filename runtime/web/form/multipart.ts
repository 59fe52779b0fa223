/**
 * Takes multipart/form-data apart as it comes (RFC 7578, RFC 2046 section 5.1, and what browsers send). Strict: no text before, between and
 * after the parts, and what a part says of itself is well formed. Only what may be the begin of a boundary, or of a head, is kept.
 */
import { TOKEN } from '../mime.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** What a part says of itself. */
export interface PartHead {
  readonly name: string
  /** undefined for a field. */
  readonly filename: string | undefined
  /** As it came. */
  readonly type: string | undefined
}

export interface PartEvents {
  part(head: PartHead): void
  /** @param isOwn nobody changes them any more */
  data(bytes: Bytes, isOwn: boolean): void
  partEnd(): void
}

/** All header fields of a part, in bytes. */
export const MAX_HEAD = 8 * 1024

/** RFC 2046 section 5.1.1 */
const BOUNDARY = /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/

const START = 0
const AFTER_BOUNDARY = 1
const HEAD = 2
const DATA = 3
const END = 4

const CR = 13
const LF = 10
const DASH = 45

export class MultipartParser {
  readonly #events: PartEvents
  /** CR LF - - boundary */
  readonly #delimiter: Bytes
  #state = START
  /** What has come and could not be judged yet. */
  #rest: Bytes = EMPTY
  #isOwn = false
  /** Nothing more can be said before more has come. */
  #isWaiting = false

  /** @throws TypeError for what is no boundary */
  constructor(boundary: string | undefined, events: PartEvents) {
    if (boundary === undefined || !BOUNDARY.test(boundary))
      throw wrong(`its Content-Type ${boundary === undefined ? 'has no boundary' : 'has a boundary that RFC 2046 does not allow'}`)
    this.#delimiter = new TextEncoder().encode(`\r\n--${boundary}`) as Bytes
    this.#events = events
  }

  /** @param isGivenOwn nobody changes them any more. @throws TypeError for what is not well formed */
  push(given: Bytes, isGivenOwn: boolean): void {
    const isJoined = this.#rest.length > 0
    const bytes = isJoined ? join(this.#rest, given) : given
    this.#isOwn = isJoined || isGivenOwn
    this.#isWaiting = false
    let at = 0
    while (!this.#isWaiting) at = this.#step(bytes, at)
    this.#rest = at === bytes.length ? EMPTY : bytes.slice(at)
  }

  /** @throws TypeError when there is more to come */
  end(): void {
    if (this.#state !== END) throw wrong('it is cut off: its last boundary is missing')
  }

  /** Takes what it can judge from `at` on; returns where it stopped. */
  #step(bytes: Bytes, at: number): number {
    switch (this.#state) {
      case START:
        return this.#start(bytes, at)
      case AFTER_BOUNDARY:
        return this.#afterBoundary(bytes, at)
      case HEAD:
        return this.#head(bytes, at)
      case DATA:
        return this.#data(bytes, at)
      default:
        return this.#epilogue(bytes, at)
    }
  }

  /** Empty lines may stand before the first boundary: some clients begin with the line end that belongs to it. */
  #start(bytes: Bytes, at: number): number {
    if (bytes[at] === CR && bytes[at + 1] === LF) return at + 2
    const delimiter = this.#delimiter
    const isLineEnd = bytes[at] === CR && at + 1 === bytes.length
    const matched = isLineEnd ? 0 : matchOf(bytes, at, delimiter, 2)
    if (matched < delimiter.length - 2) {
      if (!isLineEnd && at + matched < bytes.length) throw wrong('it does not begin with its boundary')
      return this.#wait(at)
    }
    this.#state = AFTER_BOUNDARY
    return at + matched
  }

  #afterBoundary(bytes: Bytes, at: number): number {
    if (at + 2 > bytes.length) return this.#wait(at)
    if (bytes[at] === CR && bytes[at + 1] === LF) this.#state = HEAD
    else if (bytes[at] === DASH && bytes[at + 1] === DASH) this.#state = END
    else throw wrong('there is something else behind a boundary than a line end or two hyphens')
    return at + 2
  }

  #head(bytes: Bytes, at: number): number {
    if (bytes[at] === CR && bytes[at + 1] === LF) throw wrong('a part has no Content-Disposition')
    let end = bytes.indexOf(LF, at)
    while (end >= 0 && !(bytes[end + 1] === CR && bytes[end + 2] === LF)) end = bytes.indexOf(LF, end + 1)
    if ((end < 0 ? bytes.length : end) - at > MAX_HEAD) throw wrong(`the head of a part is larger than ${MAX_HEAD} bytes`)
    if (end < 0) return this.#wait(at)
    this.#events.part(parseHead(decode(bytes.subarray(at, end + 1))))
    this.#state = DATA
    return end + 3
  }

  #data(bytes: Bytes, at: number): number {
    const delimiter = this.#delimiter
    for (let cr = bytes.indexOf(CR, at); cr >= 0; cr = bytes.indexOf(CR, cr + 1)) {
      if (bytes[cr + 1] !== LF && cr + 1 < bytes.length) continue
      const matched = matchOf(bytes, cr, delimiter, 0)
      if (matched === delimiter.length) {
        this.#give(bytes, at, cr)
        this.#events.partEnd()
        this.#state = AFTER_BOUNDARY
        return cr + matched
      }
      if (cr + matched === bytes.length) {
        this.#give(bytes, at, cr)
        return this.#wait(cr)
      }
    }
    this.#give(bytes, at, bytes.length)
    return this.#wait(bytes.length)
  }

  #epilogue(bytes: Bytes, at: number): number {
    for (; at < bytes.length; at++) if (bytes[at] !== CR && bytes[at] !== LF) throw wrong('there is something behind its last boundary')
    return this.#wait(at)
  }

  #give(bytes: Bytes, from: number, to: number): void {
    if (from < to) this.#events.data(bytes.subarray(from, to), this.#isOwn)
  }

  #wait(at: number): number {
    this.#isWaiting = true
    return at
  }
}

const EMPTY: Bytes = new Uint8Array(0)

/** https://encoding.spec.whatwg.org/#utf-8-decode-without-bom : a mark at the begin is text. */
export const decode = (bytes: Uint8Array): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)

export const wrong = (what: string): TypeError => new TypeError(`formData: the body cannot be read as a form: ${what}`)

function join(a: Bytes, b: Bytes): Bytes {
  const joined = new Uint8Array(a.length + b.length)
  joined.set(a)
  joined.set(b, a.length)
  return joined
}

/** How many bytes from `at` on are those of the delimiter, from its byte `from` on. */
function matchOf(bytes: Bytes, at: number, delimiter: Bytes, from: number): number {
  let length = 0
  while (from + length < delimiter.length && bytes[at + length] === delimiter[from + length]) length++
  return length
}

const FIELD = new RegExp(`^(${TOKEN}):([^\\r\\n]*)$`)

/** @param text lines, each with its end */
function parseHead(text: string): PartHead {
  const found = new Map<string, string>()
  if (!text.endsWith('\r\n')) throw wrong('a header field of a part does not end with CR LF')
  for (const line of text.slice(0, -2).split('\r\n')) {
    const [, name, value] = FIELD.exec(line) ?? []
    if (name === undefined) throw wrong('a header field of a part is not of the form name: value')
    const key = name.toLowerCase()
    if (key !== 'content-disposition' && key !== 'content-type') continue
    if (found.has(key)) throw wrong(`a part has more than one ${name}`)
    found.set(key, value.trim())
  }
  const parameters = dispositionOf(found.get('content-disposition'))
  const name = parameters.get('name')
  if (name === undefined) throw wrong('a part has no name')
  return { name, filename: parameters.get('filename'), type: found.get('content-type') }
}

const PARAMETER = new RegExp(`[\\t ]*;[\\t ]*(${TOKEN})=(?:"([^"]*)"|(${TOKEN}))`, 'y')

/**
 * RFC 7578 section 4.2. Within quotes a backslash is a character as any other, as browsers have it. `filename*` is ignored, as the RFC wants
 * nobody to send it.
 */
function dispositionOf(text: string | undefined): Map<string, string> {
  if (text === undefined) throw wrong('a part has no Content-Disposition')
  const parameters = new Map<string, string>()
  if (!/^form-data(?![^;\t ])/i.test(text)) throw wrong('the Content-Disposition of a part is not form-data')
  let at = 'form-data'.length
  while (at < text.length) {
    PARAMETER.lastIndex = at
    const match = PARAMETER.exec(text)
    if (match === null) throw wrong('the Content-Disposition of a part is not well formed')
    at = PARAMETER.lastIndex
    const key = match[1].toLowerCase()
    if (parameters.has(key)) throw wrong(`the Content-Disposition of a part has more than one ${key}`)
    parameters.set(key, unescaped(match[2] ?? match[3]))
  }
  return parameters
}

/** What browsers escape: https://html.spec.whatwg.org/#multipart-form-data */
const unescaped = (text: string): string => text.replace(/%0A/gi, '\n').replace(/%0D/gi, '\r').replaceAll('%22', '"')
