/** Responses for programs: the one place of the client that touches the Web API classes of the runtime, and what Node's lack. */
import type { HostFunctions } from '@xen-ts/runtime/machine'
import { give } from '@xen-ts/runtime/web/given'
import { bodyError } from './error.ts'
import type { Incoming } from './incoming.ts'
import type { Outgoing } from './request.ts'

/** The runtime's Response can be told where it comes from. */
interface WithOrigin {
  comesFrom?(url: string, redirected: boolean): void
}

/** Bytes of a body that are copied sooner than marked. */
const SMALL = 4096
/** Bytes that are taken in before somebody asks for them: so a short response that nobody reads does not keep its connection. */
const AHEAD = 16 * 1024
/** https://fetch.spec.whatwg.org/#null-body-status */
const isBodiless = (status: number): boolean => status === 204 || status === 205 || status === 304

export function makeResponse(
  abi: HostFunctions,
  { method, url }: Outgoing,
  incoming: Incoming,
  wasRedirected: boolean,
  signal?: AbortSignal,
): Response {
  const { status, phrase, fields } = incoming.head
  const init = { status, statusText: phrase, headers: fields }
  const response = new Response(bodyOf(abi, method, url, incoming, signal), init)
  if ('comesFrom' in response) (response as WithOrigin).comesFrom?.(url, wasRedirected)
  else Object.defineProperties(response, { url: { value: url }, redirected: { value: wasRedirected } })
  return response
}

function bodyOf(
  abi: HostFunctions,
  method: string,
  url: string,
  incoming: Incoming,
  signal?: AbortSignal,
): Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null {
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
