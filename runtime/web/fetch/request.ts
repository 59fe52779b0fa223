/** https://fetch.spec.whatwg.org/#request-class , as far as a server needs it */

import { isReadableStream } from '../streams/linked.ts'
import { isPlainUrl } from '../url/parse.ts'
import { URL } from '../url/url.ts'
import { type Body, type BodyInit, type BodySource, mixBody, sourceOf, splitBody, takeBody, typeOfBody } from './body.ts'
import { withType } from './header-list.ts'
import { type Headers, type HeadersInit, headersOf, listFrom } from './headers.ts'
import { HEAD, HEADERS, MAKE, type RequestHead, SIGNAL, SOURCE, type Used } from './slots.ts'

export interface RequestInit {
  method?: string
  headers?: HeadersInit
  body?: BodyInit
  signal?: AbortSignal | null
  redirect?: string
  [ignored: string]: unknown
}

/** Methods that need no closer look. */
const usual = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS'])
const normalized = /^(delete|get|head|options|post|put)$/i
const forbidden = /^(connect|trace|track)$/i
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
export interface Request extends Body {}
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: mixBody adds what the interface says
export class Request {
  declare [SOURCE]?: BodySource | Used
  declare [HEAD]: RequestHead
  declare [HEADERS]?: Headers
  declare [SIGNAL]?: AbortSignal | AbortController | undefined

  constructor(input: string | URL | Request, given: RequestInit | null = NOTHING) {
    const init = given ?? NOTHING
    const from = input instanceof Request ? input : undefined
    const body = init.body
    const source = body !== undefined ? sourceOf(body) : from === undefined ? null : takeBody(from)
    const named = String(init.method ?? from?.method ?? 'GET')
    const method = usual.has(named) ? named : checkMethod(named)
    if (body !== undefined && body !== null && (method === 'GET' || method === 'HEAD')) {
      throw new TypeError(`Request: ${method} may not have a body`)
    }
    if (init.duplex !== undefined ? init.duplex !== 'half' : body !== undefined && isReadableStream(body)) {
      throw new TypeError("Request: duplex must be 'half', and must be said when the body is a stream")
    }
    const url = from?.url ?? addressOf(String(input))
    let list = listFrom(init.headers ?? from?.headers)
    if (body !== undefined) {
      const type = typeOfBody(source, body)
      if (type !== undefined) list = withType(list, type)
    }
    const redirect = init.redirect ?? from?.redirect ?? 'follow'
    const signal = init.signal === null ? undefined : (init.signal ?? from?.signal)
    this[HEAD] = { method, url, redirect, list }
    if (source !== null) this[SOURCE] = source
    if (signal !== undefined) this[SIGNAL] = signal
  }

  get method(): string {
    return this[HEAD].method
  }
  get url(): string {
    return this[HEAD].url
  }
  get headers(): Headers {
    return (this[HEADERS] ??= headersOf(this[HEAD].list))
  }
  get redirect(): string {
    return this[HEAD].redirect
  }

  // The same for every request: a getter costs nothing until somebody asks.
  get cache(): string {
    return 'default'
  }
  get credentials(): string {
    return 'same-origin'
  }
  get destination(): string {
    return ''
  }
  get duplex(): string {
    return 'half'
  }
  get integrity(): string {
    return ''
  }
  get keepalive(): boolean {
    return false
  }
  get mode(): string {
    return 'cors'
  }
  get referrer(): string {
    return 'about:client'
  }
  get referrerPolicy(): string {
    return ''
  }

  /** Made when somebody asks: most handlers do not. */
  get signal(): AbortSignal {
    const signal = (this[SIGNAL] ??= new AbortController())
    return signal instanceof AbortController ? signal.signal : signal
  }

  /** @internal For the server that made the request: nobody waits for the answer any more, or it is to end soon. */
  abortSignal(reason: unknown): void {
    const signal = this[SIGNAL]
    if (signal === undefined) this[SIGNAL] = AbortSignal.abort(reason)
    else if (signal instanceof AbortController) signal.abort(reason)
  }

  clone(): Request {
    const { url, method, headers, redirect, signal } = this
    const copy = new Request(url, { method, headers, redirect, signal, body: splitBody(this), duplex: 'half' })
    if (!headers.has('content-type')) copy.headers.delete('content-type')
    return copy
  }

  /** @internal For a server: `new` makes a request without a body and with this head, which was another's. It costs a fraction of making one from its parts. */
  declare static [MAKE]: new (
    head: RequestHead,
  ) => Request
}
mixBody(Request)

/** Nobody calls a constructor with what it would have to check. */
function Made(this: Request, head: RequestHead): void {
  this[HEAD] = head
}
Made.prototype = Request.prototype
Request[MAKE] = Made as unknown as (typeof Request)[typeof MAKE]

const NOTHING: RequestInit = Object.freeze({})

function checkMethod(method: string): string {
  if (!token.test(method) || forbidden.test(method)) throw new TypeError(`Request: '${method}' is not a method that can be used`)
  return normalized.test(method) ? method.toUpperCase() : method
}

function addressOf(text: string): string {
  if (isPlainUrl(text)) return text
  const url = new URL(text)
  if (url.username !== '' || url.password !== '') {
    throw new TypeError(`Request cannot be constructed from a URL that includes credentials: ${url}`)
  }
  return url.href
}
