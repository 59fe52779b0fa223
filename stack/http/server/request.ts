/** Requests for handlers, and the bytes of their responses: the one place that touches the Web API classes of the runtime. */
import { give } from '@xen-ts/runtime/web/given'
import { HEAD, type RequestHead as Head, MAKE } from '@xen-ts/runtime/web/slots'
import type { RequestHead } from './head.ts'
import type { RequestBody } from './request-body.ts'
import { upgradeOf } from './upgrade.ts'

/**
 * undefined when the URL is one that cannot be parsed. Heads are cached (head-cache.ts), and with them what the runtime has of a
 * request: another that shares it costs a fraction of making one from its parts, and a handler may do with its own what it likes.
 */
export function makeRequest(head: RequestHead, body: Uint8Array | RequestBody | undefined): Request | undefined {
  const method = head.method
  const url = head.url
  const headers = head.fields as [string, string][]
  try {
    if (!isTold) return withController(method, url, headers, body)
    if (hasBody(method, body)) return new Request(url, { method, headers, body: own(body) as RequestInit['body'] })
    head.template ??= shared(new Request(url, { method, headers }))
    return new Another!(head.template)
  } catch {
    return undefined
  }
}

/** Bytes of a body. */
const SMALL = 4096

/** Nobody else has these bytes; those of a small body are copied sooner than marked. */
const own = (body: Uint8Array | RequestBody): Uint8Array | RequestBody =>
  body instanceof Uint8Array && body.length > SMALL ? give(body) : body

/** For a runtime whose requests are not told that their client has gone, and know no bodies that come in: Node's. */
function withController(method: string, url: string, headers: [string, string][], body: Uint8Array | RequestBody | undefined): Request {
  const controller = new AbortController()
  const { signal } = controller
  let request: Request
  if (!hasBody(method, body)) request = new Request(url, { method, headers, signal })
  else if (body instanceof Uint8Array) request = new Request(url, { method, headers, body: own(body) as RequestInit['body'], signal })
  else request = gathering(new Request(url, { method, headers, body: streamOf(body), signal, duplex: 'half' }), body)
  controllers.set(request, controller)
  return request
}

/** Not the free name: an image has its streams where the program uses some, and Node's are always there. */
const streamOf = (body: RequestBody): ReadableStream<Uint8Array> =>
  new globalThis.ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const bytes = await body.read()
        if (bytes === undefined) controller.close()
        else controller.enqueue(bytes)
      },
      cancel: () => body.cancel(),
    },
    { highWaterMark: 0 },
  )

/** The same, and the body knows who reads it as one. */
function gathering(request: Request, body: RequestBody): Request {
  for (const name of ['text', 'json', 'bytes', 'arrayBuffer', 'blob', 'formData'] as const) {
    const read = request[name] as () => Promise<unknown>
    Object.defineProperty(request, name, {
      value: () => {
        if (!request.bodyUsed) body.gatherAll()
        return read.call(request)
      },
    })
  }
  return request
}

/** Fetch allows them none, so no handler sees it. */
export const mayHaveBody = (method: string): boolean => method !== 'GET' && method !== 'HEAD'

const hasBody = (method: string, body: Uint8Array | RequestBody | undefined): body is Uint8Array | RequestBody =>
  body !== undefined && mayHaveBody(method) && (!(body instanceof Uint8Array) || body.length > 0)

/** The runtime's Request can be made of the head of another; Node's cannot. */
export const Another = (Request as { [MAKE]?: new (head: Head) => Request })[MAKE]

function shared(request: Request): Head {
  const head = (request as unknown as { [HEAD]: Head })[HEAD]
  head.list.shared()
  return head
}

/** The runtime's Request makes its signal when somebody asks for it, and is told; Node's is given one. */
interface WithSignal {
  abortSignal?(reason: unknown): void
}

const controllers = new WeakMap<Request, AbortController>()
const isTold = 'abortSignal' in Request.prototype

/** Aborts the signal of a request that `makeRequest` made: nobody waits for the answer any more, or it is to end soon. */
export function abortRequest(request: Request, reason: unknown): void {
  if (isTold) (request as WithSignal).abortSignal?.(reason)
  else controllers.get(request)?.abort(reason)
}

/** A response that nobody takes: its stream, if it has one, is told so. */
export function discardResponse(response: Response, reason: unknown): void {
  try {
    if (response.status === 101) upgradeOf(response)?.fail(String(reason))
    if (responseBytes(response) === undefined) response.body?.cancel(reason).catch(() => {})
  } catch {
    /* it is no response, and that was said already */
  }
}

/** The runtime's Response has its bytes at hand when it was made from a string or bytes; Node's has only a stream. */
interface WithBytes {
  bodyBytes?(): Uint8Array | undefined
}

/** The whole body, when it is known without waiting. Empty when there is none. */
export function responseBytes(response: Response): Uint8Array | undefined {
  const bytes = (response as WithBytes).bodyBytes?.()
  return bytes === undefined && response.body === null ? EMPTY : bytes
}

/** The stream of a response whose bytes are not known. @throws TypeError when nobody can read it any more, or it is no response */
export function responseStream(response: Response): ReadableStream<Uint8Array> {
  const { body } = response
  if (typeof body?.getReader !== 'function') throw notResponse(response)
  if (response.bodyUsed || body.locked)
    throw new TypeError('the body of the response was used before: make a new Response for each request')
  return body
}

export const notResponse = (value: unknown): TypeError => new TypeError(`the handler returned ${String(value)}: return new Response(...)`)

const EMPTY = new Uint8Array(0)
