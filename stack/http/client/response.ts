/** Responses for programs. */
import type { HostFunctions } from '@xen-ts/runtime/machine'
import { give } from '@xen-ts/runtime/web/given'
import { bodyError } from './error.ts'
import type { Incoming } from './incoming.ts'
import type { Outgoing } from './request.ts'

/** A Response that knows where it comes from. */
class Fetched extends Response {
  override readonly url: string
  override readonly redirected: boolean
  override readonly clone: () => Response

  constructor(body: Body, { head }: Incoming, url: string, wasRedirected: boolean) {
    super(body, { status: head.status, statusText: head.phrase, headers: head.fields as [string, string][] })
    this.url = url
    this.redirected = wasRedirected
    this.clone = () => cloned(this, url, wasRedirected)
  }
}

function cloned(response: Response, url: string, wasRedirected: boolean): Response {
  const copy: Response = Response.prototype.clone.call(response)
  const clone = (): Response => cloned(copy, url, wasRedirected)
  return Object.defineProperties(copy, { url: { value: url }, redirected: { value: wasRedirected }, clone: { value: clone } })
}

type Body = Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null

/** Bytes of a body that are copied sooner than marked. */
const SMALL = 4096
/** Bytes that are taken in before somebody asks for them: so a short response that nobody reads does not keep its connection. */
const AHEAD = 16 * 1024
/** https://fetch.spec.whatwg.org/#null-body-status */
const isBodiless = (status: number): boolean => status === 204 || status === 205 || status === 304

export function makeResponse(
  abi: HostFunctions,
  request: Outgoing,
  incoming: Incoming,
  wasRedirected: boolean,
  signal?: AbortSignal,
): Response {
  const { method, url } = request
  return new Fetched(bodyOf(abi, method, url, incoming, signal), incoming, url, wasRedirected)
}

function bodyOf(abi: HostFunctions, method: string, url: string, incoming: Incoming, signal?: AbortSignal): Body {
  if (method === 'HEAD' || isBodiless(incoming.head.status)) {
    incoming.cancel(undefined)
    return null
  }
  const bytes = incoming.bytes(abi)
  if (bytes === undefined) return streamOf(url, incoming, signal)
  return (bytes.length > SMALL ? give(bytes) : bytes) as Uint8Array<ArrayBuffer>
}

/** As the Streams Standard has it for a stream of bytes. */
interface Controller {
  enqueue(piece: Uint8Array<ArrayBuffer>): void
  close(): void
  error(reason: unknown): void
  readonly byobRequest: { respond(length: number): void } | null
}

/** Pulled: what nobody reads stays with the server. */
function streamOf(url: string, incoming: Incoming, signal?: AbortSignal): ReadableStream<Uint8Array> {
  const source = {
    type: 'bytes' as const,
    start(controller: Controller) {
      incoming.whenOver(failure => {
        if (failure !== undefined) controller.error(signal?.aborted ? signal.reason : bodyError(url, failure.error))
      })
    },
    async pull(controller: Controller) {
      let piece: Uint8Array | undefined
      try {
        piece = await incoming.piece()
      } catch {
        return // whenOver has said why
      }
      if (piece === undefined) {
        controller.close()
        controller.byobRequest?.respond(0)
      } else {
        // The stream takes the whole buffer, of which a piece may be a part. (Node's Buffer has a slice that copies nothing.)
        const own = piece.length === piece.buffer.byteLength ? piece : Uint8Array.prototype.slice.call(piece)
        controller.enqueue(own as Uint8Array<ArrayBuffer>)
      }
    },
    cancel: (reason: unknown) => incoming.cancel(reason),
  }
  return new ReadableStream(source as object, { highWaterMark: AHEAD })
}
