/** The HTTP client: `fetch` (https://fetch.spec.whatwg.org/#fetch-method) as far as a program without a page needs it, over any TCP. */
import type { Machine } from '@xen-ts/runtime/machine'
import { fetchError, HttpError } from './error.ts'
import type { Incoming } from './incoming.ts'
import { clientLimits, type HttpClientLimits } from './options.ts'
import { type Connector, Pool } from './pool.ts'
import { type RedirectMode, redirected } from './redirect.ts'
import { fieldsOf, type Outgoing, placeOf } from './request.ts'
import { makeResponse } from './response.ts'

export interface HttpClient {
  /**
   * As the global `fetch`. Rejects with a TypeError that says what happened and whose `cause` has a `code`: a SocketError, a DnsError, or
   * an HttpError; or with the reason of `init.signal`. The body of the response fails in the same way.
   *
   * Not as in a browser: there are no cookies, no cache, no CORS; `redirect: 'manual'` gives the response itself. The body comes as it was
   * sent: who asks for a content coding decodes it.
   */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>
  /** Connections that are open or being made, and fetches that wait for one. */
  readonly connections: number
  readonly waiting: number
  /** Breaks all connections; what is fetched now and later is rejected. */
  close(): void
}

/**
 * A client of its own, with its own connections. Throws a RangeError for limits that are none.
 * @param tcp of a stack, or what is as good
 */
export function httpClient(
  machine: Pick<Machine, 'abi' | 'timers'>,
  tcp: { readonly connect: Connector },
  limits?: Partial<HttpClientLimits>,
): HttpClient {
  return new Client(new Pool(machine, options => tcp.connect(options), clientLimits(limits)))
}

/** Methods that may be repeated when it is not known whether the server has seen them (RFC 9110 section 9.2.2). */
const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])

class Client implements HttpClient {
  readonly #pool: Pool

  constructor(pool: Pool) {
    this.#pool = pool
  }

  get connections(): number {
    return this.#pool.connections
  }
  get waiting(): number {
    return this.#pool.waiting
  }

  close(): void {
    this.#pool.close()
  }

  async fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    const request = new Request(input as string, init)
    const signal = init?.signal ?? (typeof input === 'object' && 'signal' in input ? input.signal : undefined)
    const mode = request.redirect as RedirectMode
    if (mode !== 'follow' && mode !== 'manual' && mode !== 'error') {
      throw new TypeError(`fetch: redirect is '${mode}': it must be 'follow', 'manual' or 'error'`)
    }
    let outgoing: Outgoing | undefined
    try {
      signal?.throwIfAborted()
      outgoing = await outgoingOf(request, init)
      return await this.#follow(outgoing, mode, signal)
    } catch (error) {
      const reason = signal?.aborted ? signal.reason : fetchError(request.url, error)
      const stream = outgoing === undefined ? request.body : outgoing.body
      if (stream instanceof ReadableStream && !stream.locked) stream.cancel(reason).catch(() => {})
      throw reason
    }
  }

  async #follow(first: Outgoing, mode: RedirectMode, signal: AbortSignal | undefined): Promise<Response> {
    const { abi, limits } = this.#pool
    let request = first
    for (let redirects = 0; ; redirects++) {
      const incoming = await this.#exchange(request, signal)
      let next: Outgoing | undefined
      try {
        next = redirected(request, incoming.head, mode)
        if (next !== undefined && redirects >= limits.redirects) {
          throw new HttpError('ELOOP', `it was redirected more than ${limits.redirects} times, last to ${next.place.authority}`)
        }
      } catch (error) {
        incoming.cancel(error)
        throw error
      }
      if (next === undefined) return makeResponse(abi, request, incoming, redirects > 0, signal)
      incoming.cancel(undefined)
      request = next
    }
  }

  /** One request and the head of its response. A connection that turns out to be closed is replaced once, where that does no harm. */
  async #exchange(request: Outgoing, signal: AbortSignal | undefined): Promise<Incoming> {
    for (let isAgain = false; ; isAgain = true) {
      const connection = await this.#pool.get(request.place, signal, isAgain)
      if (signal?.aborted) {
        if (!connection.isOver) this.#pool.free(connection)
        throw signal.reason
      }
      try {
        return await connection.ask(request, signal ?? undefined)
      } catch (error) {
        const isStale = connection.isReused && !connection.hasReceived && !isDeliberate(error)
        const isRepeatable = idempotent.has(request.method) && !(request.body instanceof ReadableStream)
        if (isAgain || !isStale || !isRepeatable || signal?.aborted) throw error
      }
    }
  }
}

/** Not the server's doing: to try it again would end in the same way. */
const isDeliberate = (error: unknown): boolean => error instanceof HttpError && error.code !== 'ECONNRESET'

/** The runtime's Request has its bytes at hand when it was made from text or bytes; Node's has only a stream. */
interface WithBytes {
  bodyBytes?(): Uint8Array | undefined
}

async function outgoingOf(request: Request, init: RequestInit | undefined): Promise<Outgoing> {
  const { method, url } = request
  const place = placeOf(url)
  const fields = fieldsOf(request.headers)
  return { method, url: url.replace(/#[^]*$/, ''), place, fields, body: await bodyOf(request, init) }
}

async function bodyOf(request: Request, init: RequestInit | undefined): Promise<Outgoing['body']> {
  if ('bodyBytes' in request) {
    const bytes = (request as WithBytes).bodyBytes?.()
    if (bytes !== undefined) return bytes.length === 0 ? undefined : bytes
    return request.body ?? undefined
  }
  const { body } = request
  if (body === null || init?.body instanceof ReadableStream) return body ?? undefined
  const bytes = new Uint8Array(await request.arrayBuffer())
  return bytes.length === 0 ? undefined : bytes
}
