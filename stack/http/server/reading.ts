/** From bytes to requests: what has come is dealt with as far as it can be now. */
import { close, handle, refuse } from './answering.ts'
import { bodyStreams, handleEarly } from './body-streaming.ts'
import type { HttpConnection } from './connection.ts'
import { CLOSED, CLOSING, READING, UPGRADED } from './phase.ts'
import { handOn } from './upgrading.ts'

/** Deals with as much as can be dealt with now; returns where it stopped. */
export function process(c: HttpConnection, bytes: Uint8Array, at: number, end: number): number {
  const reader = c.reader
  while (at < end && c.phase === READING) {
    const from = at
    at = reader.read(bytes, at, end)
    if (reader.refusal !== undefined) {
      refuse(c, reader.refusal)
    } else if (reader.isComplete) {
      reader.isComplete = false
      handle(c, reader.head!, reader.body)
    } else if (bodyStreams(c) && (at === end || reader.bodyReader!.isDone)) {
      expectMore(c)
      handleEarly(c, reader.head!)
    } else {
      expectMore(c)
      if (at === from) break
    }
  }
  return at
}

/** A request has begun to come in. */
export const isBegun = (c: HttpConnection): boolean => c.reader.isInBody || c.pending.length > 0

function expectMore(c: HttpConnection): void {
  const { headTimeout, bodyTimeout } = c.service.limits
  c.patience.expect(c.reader.isInBody ? bodyTimeout : headTimeout)
  if (c.reader.wantsContinue && !bodyStreams(c)) goOn(c)
}

/** Tells a client that waits for it to send the body. */
export function goOn(c: HttpConnection): void {
  c.reader.wantsContinue = false
  c.writer.continue()
}

/** Deals with what has waited. */
export function readPending(c: HttpConnection): void {
  const pending = c.pending
  const at = process(c, pending.bytes, pending.start, pending.start + pending.length)
  const isOver = c.phase >= CLOSING && c.phase !== UPGRADED
  pending.drop(isOver ? pending.length : at - pending.start)
  if (c.phase === UPGRADED) return handOn(c)
  if (c.phase !== CLOSED) c.socket.flush()
}

/** Sends what was answered later than at once, and goes on with what has waited meanwhile. */
export function resume(c: HttpConnection): void {
  if (c.phase === CLOSED) return
  if (c.phase === UPGRADED) return handOn(c)
  c.socket.flush()
  if (c.pending.length === 0 || c.phase !== READING) return
  readPending(c)
  c.uncharge()
  if (c.clientEnded && c.phase === READING) close(c) // the rest of the request will not come
}
