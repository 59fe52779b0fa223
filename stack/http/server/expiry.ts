/** What becomes of connections on which nothing moves: looked at once a second. */
import { BadMessage } from '../message/bad-message.ts'
import { close, refuse } from './answering.ts'
import { waitsForBody } from './body-streaming.ts'
import type { HttpConnection } from './connection.ts'
import { HANDLER_ALONE, STREAM_ALONE } from './options.ts'
import { CLOSING, HANDLING, READING } from './phase.ts'
import { isBegun } from './reading.ts'

export function secondPasses(c: HttpConnection): void {
  const { patience, reader } = c
  const isReading = c.phase === READING && isBegun(c)
  const moved = patience.second() || c.writer.hasMoved
  c.writer.hasMoved = false
  // What the client takes of an old response buys no time for a new request.
  if (moved && !isReading) patience.idle = 0
  if (c.phase === READING) {
    if (!patience.isRequestLate(reader.isInBody ? reader.head : undefined)) return
    if (isReading) refuse(c, tooSlow())
    else close(c)
  } else if (waitsForBody(c)) {
    if (patience.isRequestLate(reader.head)) c.bodyRefused(tooSlow())
  } else if (c.phase === HANDLING && patience.isAllTaken) {
    if (patience.isProgramLate(aloneAfter(c))) abandon(c)
  } else if (patience.isClientLate(c.phase === CLOSING)) {
    if (patience.isAllTaken)
      c.abort() // nothing is lost: only the client's end is missing
    else abandon(c)
  }
}

const tooSlow = (): BadMessage => new BadMessage(408, 'the request took too long')

/** Seconds without a word of the program after which a client that has ended its side is taken for gone. */
const aloneAfter = (c: HttpConnection): number => (!c.clientEnded ? Infinity : c.writer.isStreaming ? STREAM_ALONE : HANDLER_ALONE)

/** The client does not get all of what is its. */
export function abandon(c: HttpConnection): void {
  c.service.counters.abandoned++
  c.abort()
}
