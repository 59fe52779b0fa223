/** How long a connection may stay as it is: counts the seconds in which nothing moved, and has the peer asked where it cannot move. */
import type { ByteSocket } from '../../socket.ts'
import type { RequestHead } from './head.ts'
import { type HttpLimits, KEEP_ALIVE, LINGER } from './options.ts'

export class Patience {
  /** Seconds without progress in the present state. */
  declare idle: number
  /** What `answered` puts back is not as it was: never so for a request that comes in one piece and is answered at once. */
  declare isChanged: boolean
  declare private readonly socket: ByteSocket
  declare private readonly limits: HttpLimits
  /** `room` when nothing waits to be taken, and when it was looked at last. */
  declare readonly allRoom: number
  declare private lastRoom: number | undefined
  /** Seconds that there may be without a request, or a piece of one. */
  declare private limit: number
  declare private body: RequestHead | undefined
  declare private bodySeconds: number
  /** The socket looks for signs of life, since the client has nothing to say before the program has. */
  declare private asksPeer: boolean

  constructor(socket: ByteSocket, limits: HttpLimits) {
    this.idle = 0
    this.socket = socket
    this.limits = limits
    this.limit = limits.idleTimeout
    this.allRoom = socket.room
  }

  static {
    // What few change is none's own until then.
    Object.assign(Patience.prototype, { isChanged: false, lastRoom: undefined, body: undefined, bodySeconds: 0, asksPeer: false })
  }

  /** The peer has taken all that was sent to it. */
  get isAllTaken(): boolean {
    return this.socket.room === this.allRoom
  }

  /** There may be so many seconds without progress from now on. They are not counted anew when it is the same as before. */
  expect(seconds: number): void {
    if (this.limit !== seconds) this.idle = 0
    this.limit = seconds
    this.isChanged = true
  }

  /** A request was answered; the next may come. */
  answered(): void {
    this.isChanged = false
    this.limit = this.limits.idleTimeout
    if (this.asksPeer) this.socket.keepAlive?.(undefined)
    this.asksPeer = false
  }

  /** A second has passed. Whether the peer took something meanwhile. */
  second(): boolean {
    const room = this.socket.room
    const moved = room !== (this.lastRoom ?? this.allRoom)
    this.lastRoom = room
    this.idle++
    return moved
  }

  /** @param body the request whose body comes in, if that is what does */
  isRequestLate(body: RequestHead | undefined): boolean {
    if (this.idle >= this.limit) return true
    if (body === undefined) return false
    // A head with a body is read anew for each request: the same object is the same request. Pieces that come in time must not make a
    // body that lasts for ever.
    if (this.body !== body) this.bodySeconds = 0
    this.body = body
    return ++this.bodySeconds > this.limits.requestTimeout
  }

  /** The client takes nothing of what was sent, or has all of it and does not close. */
  isClientLate(isClosing: boolean): boolean {
    return this.idle >= (isClosing && this.isAllTaken ? LINGER : this.limits.writeTimeout)
  }

  /**
   * There is nothing to send before the program says something: only a question finds out whether anybody is left to take it.
   * @param alone how many seconds this may last
   */
  isProgramLate(alone: number): boolean {
    if (!this.asksPeer) this.socket.keepAlive?.(KEEP_ALIVE)
    this.asksPeer = this.isChanged = true
    return this.idle >= alone
  }
}
