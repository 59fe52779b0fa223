/** A connection becomes another protocol's (RFC 9110 section 7.8). */
import { keepsAlive, next } from './answering.ts'
import type { HttpConnection } from './connection.ts'
import type { RequestHead } from './head.ts'
import { UPGRADED } from './phase.ts'
import { discardResponse } from './request.ts'
import { upgradeOf } from './upgrade.ts'

/** What the client has sent already belongs to the other protocol. */
export function upgrade(c: HttpConnection, head: RequestHead, response: Response): void {
  const upgrade = upgradeOf(response)
  if (upgrade === undefined) throw new RangeError('only upgradeWebSocket makes a response with status 101, once')
  if (c.body !== undefined || !keepsAlive(c, head) || !head.isHttp11) {
    discardResponse(response, 'the connection is to be closed')
    c.writer.plain(head, 503, 'this connection cannot be upgraded: it is to be closed', false)
    return next(c, false)
  }
  c.writer.upgraded(response, upgrade.protocol)
  c.request = undefined
  c.phase = UPGRADED
  const { abi, limited, gathering } = c.service
  if (c.patience.isChanged) c.patience.answered()
  const successor = upgrade.begin(c.socket, { abi, log: limited, gathering, room: c.patience.allRoom })
  c.successor = successor
  c.socket.flush()
  successor.opened()
}

/** Hands on what was received before the connection was upgraded. */
export function handOn(c: HttpConnection): void {
  const pending = c.pending
  const { bytes, start, length } = pending
  if (length === 0) return
  pending.drop(length)
  c.successor?.onData(bytes, start, length)
  c.uncharge()
}
