/** Requests for handlers, and the bytes of their responses: the one place that touches the Web API classes of the runtime. */
import type { RequestHead } from './head.ts'

/** undefined when the URL is one that cannot be parsed. */
export function makeRequest(head: RequestHead, body: Uint8Array | undefined): Request | undefined {
  const { method, url } = head
  const headers = head.fields as [string, string][]
  const hasBody = body !== undefined && body.length > 0 && method !== 'GET' && method !== 'HEAD'
  try {
    return hasBody ? new Request(url, { method, headers, body: body as Uint8Array<ArrayBuffer> }) : new Request(url, { method, headers })
  } catch {
    return undefined
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

const EMPTY = new Uint8Array(0)
