/** https://fetch.spec.whatwg.org/#response-class */

import { URL } from '../url/url.ts'
import { type Body, type BodyInit, type BodySource, mixBody, sourceOf, splitBody, TEXT, typeOfBody } from './body.ts'
import { type HeaderList, withType } from './header-list.ts'
import { Headers, type HeadersInit, headersOf, listFrom } from './headers.ts'
import { HEAD, HEADERS, type ResponseHead, SOURCE, type Used } from './slots.ts'

export interface ResponseInit {
  status?: number
  statusText?: string
  headers?: HeadersInit
}

/** An `unsigned short`: https://webidl.spec.whatwg.org/#js-unsigned-short */
const toStatus = (value: unknown): number => (Number.isInteger(value) ? (value as number) : Math.trunc(Number(value)) & 0xffff)

const withoutBody = new Set([101, 103, 204, 205, 304])

export interface Response extends Body {}
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: mixBody adds what the interface says
export class Response {
  declare [SOURCE]?: BodySource | Used
  declare [HEAD]: ResponseHead
  declare [HEADERS]?: Headers

  constructor(body?: BodyInit, init: ResponseInit | null = NOTHING) {
    const isText = typeof body === 'string'
    const source = isText ? body : sourceOf(body)
    // Not a pattern, which costs as much as ten reads: this runs for each response.
    const options = init ?? NOTHING
    const given = options.status
    const status = given === undefined ? 200 : toStatus(given)
    const text = options.statusText
    const statusText = text === undefined ? '' : text
    if (status < 200 || status > 599) throw new RangeError(`Response: status must be from 200 to 599, not ${given}`)
    if (statusText !== '' && /[^\t\x20-\x7e\x80-\xff]/.test(statusText))
      throw new TypeError('Response: statusText has a character that is not allowed there')
    if (status !== 200 && body !== null && body !== undefined && withoutBody.has(status)) {
      throw new TypeError(`Response: status ${status} may not have a body; give null`)
    }
    let list = listFrom(options.headers)
    if (source !== null) {
      // A list with a type of its own that was used before says so: no calls then, which cost as much as a dozen reads.
      const typed = list.typed
      if (typed === undefined || typed.list !== list) {
        const type = isText ? TEXT : typeOfBody(source, body)
        if (type !== undefined) list = withType(list, type)
      }
      this[SOURCE] = source
    }
    this[HEAD] = status === 200 && statusText === '' ? (list.ok ?? okWith(list)) : { status, statusText: String(statusText), list }
  }

  get status(): number {
    return this[HEAD].status
  }
  get statusText(): string {
    return this[HEAD].statusText
  }
  get headers(): Headers {
    return (this[HEADERS] ??= headersOf(this[HEAD].list))
  }

  get type(): string {
    return failed.has(this) ? 'error' : 'default'
  }
  get url(): string {
    return ''
  }
  get redirected(): boolean {
    return false
  }
  get ok(): boolean {
    return this.status >= 200 && this.status <= 299
  }

  clone(): Response {
    const { status, statusText, headers } = this
    if (failed.has(this)) return Response.error()
    const copy = new Response(splitBody(this), { status, statusText, headers })
    if (!headers.has('content-type')) copy.headers.delete('content-type')
    return copy
  }

  /** What stands for a network error. */
  static error(): Response {
    const response = new Response()
    response[HEAD] = { ...response[HEAD], status: 0 }
    lock(response.headers)
    failed.add(response)
    return response
  }

  /** JSON of `data`, with its content type. */
  static json(data: unknown, init?: ResponseInit | null): Response {
    const text = JSON.stringify(data)
    if (text === undefined) throw new TypeError('Response.json: the value cannot be written as JSON')
    if (init === undefined || init === null) {
      // As most say it: the list is there already.
      return new (Made as unknown as new (text: string, head: ResponseHead) => Response)(text, okWith(JSON_ONLY))
    }
    const headers = new Headers(init.headers)
    if (!headers.has('content-type')) headers.set('content-type', 'application/json')
    return new Response(text, { ...init, headers })
  }

  static redirect(url: string | URL, given = 302): Response {
    const status = toStatus(given)
    if (![301, 302, 303, 307, 308].includes(status))
      throw new RangeError(`Response.redirect: status ${given} is not one of 301, 302, 303, 307, 308`)
    const response = new Response(null, { status, headers: { location: new URL(url).href } })
    lock(response.headers)
    return response
  }
}

mixBody(Response)

/** Nobody calls a constructor with what it would have to check. */
function Made(this: Response, text: string, head: ResponseHead): void {
  this[SOURCE] = text
  this[HEAD] = head
}
Made.prototype = Response.prototype

const NOTHING: ResponseInit = Object.freeze({})

const JSON_ONLY = listFrom({ 'content-type': 'application/json' }).shared()

const okWith = (list: HeaderList): ResponseHead =>
  list.isShared ? (list.ok ??= { status: 200, statusText: '', list }) : { status: 200, statusText: '', list }

/** Responses of Response.error(). */
const failed = new WeakSet<Response>()

/** https://fetch.spec.whatwg.org/#headers-guard : immutable */
function lock(headers: Headers): void {
  const refuse = () => {
    throw new TypeError('Headers: those of Response.error() and Response.redirect() cannot be changed')
  }
  for (const name of ['append', 'delete', 'set']) Object.defineProperty(headers, name, { value: refuse })
}
