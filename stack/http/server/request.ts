/** Requests for handlers, and the bytes of their responses: the one place that touches the Web API classes of the runtime. */
import { give } from '@xen-ts/runtime/web/given'
import type { RequestHead } from './head.ts'

/**
 * undefined when the URL is one that cannot be parsed. Heads are cached (head-cache.ts), and with them a request to copy: that costs
 * half of making one from its parts, and a handler may do with its own copy what it likes.
 */
export function makeRequest(head: RequestHead, body: Uint8Array | undefined): Request | undefined {
  const { method, url } = head
  const headers = head.fields as [string, string][]
  try {
    if (body !== undefined && body.length > 0 && method !== 'GET' && method !== 'HEAD') {
      // Nobody else has these bytes; those of a small body are copied sooner than marked.
      return new Request(url, { method, headers, body: (body.length > SMALL ? give(body) : body) as Uint8Array<ArrayBuffer> })
    }
    head.template ??= new Request(url, { method, headers })
    return new Request(head.template, NO_SIGNAL)
  } catch {
    return undefined
  }
}

/** Bytes of a body. */
const SMALL = 4096

/** The template's signal is not copied, since it would have to be made first. */
const NO_SIGNAL: RequestInit = { signal: null }

/** The runtime's Response has its bytes at hand when it was made from a string or bytes; Node's has only a stream. */
interface WithBytes {
  bodyBytes?(): Uint8Array | undefined
}

/** The whole body, when it is known without waiting. Empty when there is none. */
export function responseBytes(response: Response): Uint8Array | undefined {
  const bytes = (response as WithBytes).bodyBytes?.()
  return bytes === undefined && response.body === null ? EMPTY : bytes
}

const EMPTY = new Uint8Array(0)
