/** From requests to responses: runs the handler, and sends what it answers, or what is answered without it. */
import { describeError } from '@xen-ts/runtime/machine'
import { HEAD, SOURCE } from '@xen-ts/runtime/web/slots'
import { BadMessage } from '../message/bad-message.ts'
import { isBodiless, type Slotted } from './answer.ts'
import { bodyEnds, endBody } from './body-streaming.ts'
import type { HttpConnection } from './connection.ts'
import type { RequestHead } from './head.ts'
import { CLOSING, DRAINING, HANDLING, READING, WRITING } from './phase.ts'
import { resume } from './reading.ts'
import { Another, abortRequest, discardResponse, makeRequest, notResponse, responseBytes } from './request.ts'
import { bodyError, incomplete, type RequestBody } from './request-body.ts'
import { HandshakeError } from './upgrade.ts'
import { upgrade } from './upgrading.ts'

export function handle(c: HttpConnection, head: RequestHead, body: Uint8Array | RequestBody | undefined): void {
  const template = body === undefined ? head.template : undefined
  const request = template === undefined ? makeRequest(head, body) : new Another!(template)
  if (request === undefined) {
    refuse(c, new BadMessage(400, 'the target and the Host field do not make a valid URL'))
    return
  }
  c.phase = HANDLING
  let result: Response | Promise<Response>
  try {
    result = c.service.handler(request)
  } catch (error) {
    failed(c, head, request, error)
    return
  }
  if (typeof (result as Promise<Response> | undefined)?.then !== 'function') {
    answer(c, head, request, result as Response)
    return
  }
  c.request = request
  // The same two functions for all requests of a connection: those of a request cost as much as the promise.
  c.later ??= laterOf(c)
  ;(result as Promise<Response>).then(c.later.answered, c.later.failed)
}

/** What a handler's promise comes to. The reader goes on when the request was answered, so its head is the one that is handled. */
export interface Later {
  answered(response: Response): void
  failed(error: unknown): void
}

const laterOf = (c: HttpConnection): Later => ({
  answered(response) {
    answer(c, c.reader.head!, c.request!, response)
    resume(c)
  },
  failed(error) {
    failed(c, c.reader.head!, c.request!, error)
    resume(c)
  },
})

function answer(c: HttpConnection, head: RequestHead, request: Request, response: Response): void {
  if (c.phase !== HANDLING) return discardResponse(response, c.whyGone())
  try {
    const status = response?.status
    if (typeof status !== 'number') throw notResponse(response)
    if (status === 101) return upgrade(c, head, response)
    if (status < 200 || status > 599) throw new RangeError(`the handler's response has status ${status}: use 200 to 599`)
    // The runtime's, unless a program has made another of it. RFC 9110 section 15.5.22: 426 has a field that is otherwise the server's.
    const own = (response as Partial<Slotted>)[HEAD]
    if (own !== undefined && own.status === status && own.statusText === response.statusText && status !== 426) {
      const text = (response as unknown as Slotted)[SOURCE]
      if (typeof text === 'string' && head.method !== 'HEAD' && !isBodiless(status)) {
        const keepAlive = keepsAlive(c, head)
        if (c.writer.text(head, response as unknown as Slotted, text, keepAlive, c.patience)) return next(c, keepAlive)
      }
    }
    const bytes = responseBytes(response)
    if (bytes === undefined) {
      c.request = request
      stream(c, head, response)
    } else {
      const keepAlive = keepsAlive(c, head)
      c.writer.whole(head, response, bytes, keepAlive)
      next(c, keepAlive)
    }
  } catch (error) {
    discardResponse(response, error)
    failed(c, head, request, error)
  }
}

function stream(c: HttpConnection, head: RequestHead, response: Response): void {
  const keepAlive = head.keepAlive && goesOn(c) && head.isHttp11
  c.patience.idle = 0
  c.writer.stream(head, response, keepAlive).then(
    () => {
      next(c, keepAlive && goesOn(c))
      resume(c)
    },
    error => {
      c.service.counters.failed++
      complain(c, head, 'failed in the middle of its body', error)
      c.abort()
    },
  )
  if (c.service.stopping) tellOfStop(c)
}

function failed(c: HttpConnection, head: RequestHead, request: Request, error: unknown): void {
  if (error instanceof HandshakeError) return answer(c, head, request, error.response())
  c.service.counters.failed++
  complain(c, head, 'failed', error)
  if (c.phase !== HANDLING) return
  const keepAlive = keepsAlive(c, head)
  c.writer.plain(head, 500, 'the program failed to answer; its log says why', keepAlive)
  next(c, keepAlive)
}

function complain(c: HttpConnection, head: RequestHead, what: string, error: unknown): void {
  // To end one's work because the client has gone, or the server is to stop, is no fault.
  const isTold = error !== undefined && (error === c.gone || error === c.bodyError || error === c.service.stopReason)
  c.service.limited.write(isTold ? 'debug' : 'error', () => `${head.method} ${head.url} ${what}: ${describeError(error)}`)
}

/** The handler that still runs need not go on. */
export function abortRunning(c: HttpConnection, reason: unknown): void {
  if (c.request !== undefined) abortRequest(c.request, reason)
  c.request = undefined
}

/** The server is to stop, says the request's signal. */
export function tellOfStop(c: HttpConnection): void {
  if (c.request !== undefined) abortRequest(c.request, c.service.stopReason)
}

export function keepsAlive(c: HttpConnection, head: RequestHead): boolean {
  // As goesOn(): this is asked for each answer.
  if (!head.keepAlive || c.service.stopping || (c.clientEnded && c.pending.length === 0)) return false
  return c.body === undefined || bodyEnds(c)
}

/** More may be asked, and will be answered. */
export const goesOn = (c: HttpConnection): boolean => !c.service.stopping && (!c.clientEnded || c.pending.length > 0)

/** The response is queued: closes, waits for room, or is ready for the next request. */
export function next(c: HttpConnection, keepAlive: boolean): void {
  if (c.phase >= CLOSING) return
  const patience = c.patience
  if (c.request !== undefined) c.request = undefined
  patience.idle = 0
  if (patience.isChanged) patience.answered()
  if (c.body !== undefined && !endBody(c, c.body)) keepAlive = false
  if (!keepAlive) {
    close(c)
  } else if (c.socket.room <= 0) {
    c.phase = WRITING
  } else if (c.body !== undefined) {
    c.phase = DRAINING
    patience.expect(c.service.limits.bodyTimeout)
  } else {
    c.phase = READING
  }
}

/** The client has taken enough of the last response. */
export function wentReady(c: HttpConnection): void {
  next(c, goesOn(c))
  resume(c)
}

/** Answers what is no request, and closes: nobody knows where the next one would begin. */
export function refuse(c: HttpConnection, { status, reason }: BadMessage): void {
  const { counters } = c.service
  if (status === 408) counters.tooSlow++
  else if (status === 413 || status === 431) counters.tooLarge++
  else counters.refused++
  c.writer.plain(undefined, status, reason, false)
  close(c)
  c.socket.flush()
}

/**
 * Ends our side and lets the client take the response (RFC 9112 section 9.6): what it still sends is thrown away, since a reset on
 * unread data could destroy the answer on its way.
 */
export function close(c: HttpConnection): void {
  if (c.phase >= CLOSING) return
  c.phase = CLOSING
  c.patience.idle = 0
  if (c.body !== undefined) {
    c.body.fail((c.bodyError ??= bodyError(incomplete())))
    c.body = undefined
    c.uncharge()
  }
  c.socket.end()
}
