/** Recovery from loss by selective acknowledgments (RFC 6675): what the scoreboard learns from a segment, and what is sent again for it. */
import { ACK, FIN, PSH, type Segment } from '../wire/tcp.ts'
import { type Connection, RETRANSMITTED } from './connection.ts'
import { Scoreboard } from './scoreboard.ts'
import { emit } from './sending.ts'

/**
 * Takes the blocks of a segment whose acknowledgment was taken. True when there is news in them. A block below what is acknowledged, or
 * inside the next one, tells that something arrived twice (RFC 2883); one that was never sent, or that the acknowledgment should
 * have covered, is a lie or too old.
 */
export function blocksArrive(c: Connection, s: Segment): boolean {
  const { counters } = c.environment
  const { edges } = s
  let news = false
  for (let i = 0; i < 2 * s.blocks; i += 2) {
    const begin = (edges[i] - c.sndUna) | 0
    const end = (edges[i + 1] - c.sndUna) | 0
    if (i === 0 && (end <= 0 || isInside(edges, s.blocks))) {
      counters.tcpDuplicateSacks++
    } else if (begin <= 0 || end <= begin || end > ((c.sndMax - c.sndUna) | 0)) {
      counters.tcpBadSacks++
    } else {
      c.scoreboard ??= new Scoreboard(c.sndUna)
      if (c.scoreboard.add(edges[i], edges[i + 1])) news = true
    }
  }
  const board = c.scoreboard
  if (board !== undefined && c.sndNxt !== c.sndMax) {
    // A timeout went back to the first byte without knowing what the peer has: from here on, around that.
    board.retransmitted = c.sndNxt
    board.timedOutBelow = c.sndNxt = c.sndMax
  }
  return news
}

const isInside = (edges: readonly number[], blocks: number): boolean =>
  blocks > 1 && ((edges[0] - edges[2]) | 0) >= 0 && ((edges[1] - edges[3]) | 0) <= 0

/** More was acknowledged in the usual way. */
export function boardAdvances(c: Connection, board: Scoreboard): void {
  if (!board.advance(c.sndUna)) {
    // The peer has thrown away what it had acknowledged selectively, as it may (RFC 2018 section 8): nothing of that is to be relied on.
    c.environment.counters.tcpSackReneged++
    c.scoreboard = undefined
    c.congestion.forgetSelection()
  } else if (board.isEmpty && !isRecovering(c, board)) {
    c.scoreboard = undefined
  }
}

/** Whether the scoreboard decides what is sent. */
const isRecovering = (c: Connection, board: Scoreboard): boolean => c.congestion.isSelective || board.timedOutBelow !== c.sndUna

/** Whether the first byte that is missing is lost, by what the peer has beyond it. */
export const isFirstLost = (c: Connection): boolean => c.scoreboard !== undefined && ((c.scoreboard.lostBelow(c.mss) - c.sndUna) | 0) > 0

/** A loss was seen: recovery begins with the first segment, whatever is in flight (RFC 6675 section 5, step 4). */
export function beginRecovery(c: Connection, board: Scoreboard): void {
  board.recover(c.sndUna, c.sndUna)
  const length = retransmit(c, c.sndUna, board.holeEnd(c.sndUna, c.sndMax))
  if (length > 0) board.retransmitted = (c.sndUna + length) | 0
}

/** The timer expired: all that is not acknowledged is lost, but for what the peer has said to have. */
export function timedOutWith(c: Connection, board: Scoreboard): void {
  board.recover(c.sndUna, c.sndMax)
  c.sndNxt = c.sndMax
}

/**
 * Sends again what is lost, as far as congestion control allows (NextSeg of RFC 6675). Returns how many bytes from the first
 * unacknowledged one on may be in flight after it, new ones included; -1 when there was no free frame.
 */
export function recover(c: Connection, board: Scoreboard): number {
  const { congestion, mss } = c
  const flight = (c.sndMax - c.sndUna) | 0
  if (!isRecovering(c, board)) return congestion.window + congestion.extra
  const lostBelow = board.lostBelow(mss)
  let free = congestion.window - board.pipe(c.sndUna, c.sndMax, lostBelow)
  // Rule 1: what is lost. Rule 3, when there is nothing new to send: all else below what the peer has.
  const hasNew = flight < c.send.bytes + (c.finPending ? 1 : 0) && flight < c.sndWnd
  const below = hasNew || board.isEmpty || ((board.highest - lostBelow) | 0) <= 0 ? lostBelow : board.highest
  while (free >= mss) {
    const at = board.holeFrom(board.retransmitted)
    if (((at - below) | 0) >= 0) break
    const length = retransmit(c, at, board.holeEnd(at, below))
    if (length < 0) return -1
    if (length === 0) return flight // beyond the peer's window
    board.retransmitted = (at + length) | 0
    free -= length
  }
  // Rule 4: the end of what was sent, once, so that the peer has something to say about it.
  if (free >= mss && !hasNew && !board.rescued && !board.isEmpty && board.highest !== c.sndMax) {
    const rest = (c.sndMax - board.highest) | 0
    board.rescued = true
    if (retransmit(c, rest > mss ? (c.sndMax - mss) | 0 : board.highest, c.sndMax) < 0) return -1
  }
  return flight + (free > 0 ? free : 0)
}

/** Sends a segment of what lies between the two sequence numbers, both sent before. Its length with FIN; 0 when the window is too small, -1 without a frame. */
function retransmit(c: Connection, from: number, to: number): number {
  const at = (from - c.sndUna) | 0
  if (at >= c.sndWnd) return 0
  let length = (to - from) | 0
  if (length > c.mss) length = c.mss
  if (length > c.sndWnd - at) length = c.sndWnd - at
  const data = c.send.bytes - at
  const fin = length > data
  c.timedAt = RETRANSMITTED
  c.lastSent = c.environment.now()
  if (!emit(c, from, fin ? ACK | PSH | FIN : ACK, at, fin ? data : length)) return -1
  c.environment.counters.tcpRetransmits++
  return length
}
