/** The body of a request whose handler runs before all of it has come. */
import { BadMessage } from '../message/bad-message.ts'
import { abortRunning, close, goesOn, handle, next, refuse } from './answering.ts'
import type { HttpConnection } from './connection.ts'
import type { RequestHead } from './head.ts'
import { DRAINING, HANDLING } from './phase.ts'
import { goOn } from './reading.ts'
import { mayHaveBody } from './request.ts'
import { bodyError, RequestBody } from './request-body.ts'

/** Part of a body has come, the rest can come while its handler runs. */
export const bodyStreams = (c: HttpConnection): boolean => c.reader.isInBody && mayHaveBody(c.reader.head!.method)

/** The client is to send more of it: all that came was read, or is dropped, and it does not wait for us to say so. */
export function waitsForBody(c: HttpConnection): boolean {
  const body = c.body
  if (body === undefined || body.held > 0 || c.reader.wantsContinue) return false
  return c.phase === DRAINING || (c.phase === HANDLING && body.error === undefined)
}

export function handleEarly(c: HttpConnection, head: RequestHead): void {
  const { service, reader } = c
  const bodyReader = reader.bodyReader!
  reader.bodyReader = undefined
  if (bodyReader.isBegun) reader.wantsContinue = false
  c.body = new RequestBody(bodyReader, c, service.limits.body, service.gathering)
  handle(c, head, c.body)
}

/** Returns where the body ended, or what is here of it. */
export function feedBody(c: HttpConnection, body: RequestBody, bytes: Uint8Array, at: number, end: number): number {
  c.patience.idle = 0
  const { reader } = body
  at = reader.feed(bytes, at, end)
  const { limits, gathering } = c.service
  body.count()
  if (gathering.isTooMuch(limits.body)) {
    c.bodyRefused(new BadMessage(503, 'too many bodies are on their way to the server: try again later'))
    return end
  }
  if (reader.error !== undefined) {
    c.bodyRefused(reader.error)
    return end
  }
  if (!reader.isDone) {
    c.patience.expect(limits.bodyTimeout)
    body.moved()
    return end
  }
  c.reader.wantsContinue = false
  body.moved()
  forgetBody(c)
  return at
}

/** When all of it has come, and was read or dropped, another request can follow. */
export function forgetBody(c: HttpConnection): void {
  const body = c.body
  if (body === undefined || !body.reader.isDone || body.held > 0) return
  c.body = undefined
  if (c.phase === DRAINING) next(c, goesOn(c))
}

/** The rest of it is read to its end, by the program or by nobody: another request can come behind it. */
export function bodyEnds(c: HttpConnection): boolean {
  const body = c.body
  if (body === undefined) return true
  if (body.error !== undefined || c.reader.wantsContinue) return false
  const { outstanding } = body.reader
  return body.isGathered || outstanding === Infinity || outstanding <= c.service.limits.unreadBody
}

/** The answer is queued. What is read as one may come to its end, other readers are too late. False when no request can follow. */
export function endBody(c: HttpConnection, body: RequestBody): boolean {
  const ends = bodyEnds(c)
  if (body.reader.isDone) c.body = undefined
  else if (!body.isGathered) {
    body.fail(new TypeError('the body of the request was not read before the response was sent'))
    body.reader.drop(c.service.limits.unreadBody)
  }
  c.uncharge()
  return ends
}

/** The program reads it for the first time. */
export function wantBody(c: HttpConnection): void {
  if (!c.reader.wantsContinue || c.phase !== HANDLING) return
  c.patience.idle = 0
  goOn(c)
  c.socket.flush()
}

/** It cannot be read: its readers are told, and the client unless it has an answer already. */
export function refuseBody(c: HttpConnection, refusal: BadMessage): void {
  const body = c.body
  if (body === undefined || (body.reader.isDone && body.reader.error === undefined)) return
  c.bodyError ??= bodyError(refusal)
  body.fail(c.bodyError)
  if (c.phase === DRAINING) close(c)
  if (c.phase !== HANDLING || c.writer.isStreaming) return
  refuse(c, refusal)
  abortRunning(c, c.bodyError)
}
