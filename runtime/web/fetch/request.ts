/** https://fetch.spec.whatwg.org/#request-class , as far as a server needs it */

import { isReadableStream } from '../streams/linked.ts'
import { isPlainUrl } from '../url/parse.ts'
import { URL } from '../url/url.ts'
import { Body, type BodyInit } from './body.ts'
import { Headers, type HeadersInit } from './headers.ts'

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
export class Request extends Body {
  readonly method: string
  readonly url: string
  override readonly headers: Headers
  readonly redirect: string
  /** A controller when the signal is our own and somebody has asked for it. */
  #signal: AbortSignal | AbortController | undefined

  constructor(input: string | URL | Request, given: RequestInit | null = {}) {
    const init = given ?? {}
    const from = input instanceof Request ? input : undefined
    super(init.body !== undefined ? init.body : from === undefined ? null : Body.take(from))
    const method = String(init.method ?? from?.method ?? 'GET')
    this.method = usual.has(method) ? method : checkMethod(method)
    if (init.body !== undefined && init.body !== null && /^(GET|HEAD)$/.test(this.method)) {
      throw new TypeError(`Request: ${this.method} may not have a body`)
    }
    if (init.duplex !== undefined ? init.duplex !== 'half' : init.body !== undefined && isReadableStream(init.body)) {
      throw new TypeError("Request: duplex must be 'half', and must be said when the body is a stream")
    }
    this.url = from?.url ?? addressOf(String(input))
    this.headers = new Headers(init.headers ?? from?.headers)
    if (init.body !== undefined) {
      const type = Body.typeOf(this, init.body)
      if (type !== undefined && !this.headers.has('content-type')) this.headers.set('content-type', type)
    }
    this.redirect = init.redirect ?? from?.redirect ?? 'follow'
    this.#signal = init.signal === null ? undefined : (init.signal ?? from?.signal)
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
    const signal = (this.#signal ??= new AbortController())
    return signal instanceof AbortController ? signal.signal : signal
  }

  /** @internal For the server that made the request: nobody waits for the answer any more, or it is to end soon. */
  abortSignal(reason: unknown): void {
    if (this.#signal === undefined) this.#signal = AbortSignal.abort(reason)
    else if (this.#signal instanceof AbortController) this.#signal.abort(reason)
  }

  clone(): Request {
    const { url, method, headers, redirect, signal } = this
    const copy = new Request(url, { method, headers, redirect, signal, body: this.split(), duplex: 'half' })
    if (!headers.has('content-type')) copy.headers.delete('content-type')
    return copy
  }
}

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
