/**
 * What is under way to a peer that acknowledges selectively: when each part was sent, and what became of it as far as the peer has said.
 * From this follows what is lost (RACK, RFC 8985): a part is, when the peer has something that was sent later by more than a little.
 *
 * There is one only while more than one packet is under way. It is bounded, and information that finds no room is forgotten, which costs a
 * retransmission at most.
 */
import { LEAST_MSS } from '../wire/tcp.ts'

/** Under way by all we know; with the peer; lost. */
const OUT = 0
const HELD = 1
const LOST = 2

/** Parts that are kept. Work for a segment grows with them, and a peer decides on their number. */
const MOST = 256
/** Segments that the peer has beyond a hole before it counts without waiting (RFC 5681, RFC 8985 section 6.2: DupThresh). */
const THRESHOLD = 3
/** Recoveries for which the window for reordering stays larger after it was too small (section 6.2, step 4). */
const PERSISTENCE = 16

/** It begins where the one before it ends. */
interface Part {
  end: number
  /** When it was sent last, and in which place of all that was sent: within a millisecond much is. */
  time: number
  order: number
  state: number
  /** It was sent more than once. */
  isResent: boolean
}

export class Flight {
  /** Where the first part begins. */
  una = 0
  /** Bytes that the peer has selectively acknowledged, that are lost, and that were sent again and are under way. */
  held = 0
  lost = 0
  resent = 0
  /** Milliseconds: of what was delivered last, and the least ever. */
  rtt = 0
  leastRtt = Infinity
  /** The end was sent once more to get an acknowledgment of it, up to `probeEnd` (section 7); undefined when it was not. */
  probeEnd: number | undefined = undefined
  probedAt = 0
  /** The first lost segment goes out whatever congestion control says (RFC 6675 section 5, step 4.3). */
  mustResend = false
  /** A recovery is under way. */
  isMending = false
  readonly #parts: Part[] = []
  /** The place of the part that was sent last of all that were delivered, and where it ended. */
  #order = -1
  #end = 0
  /** Of the next that is sent. */
  #next = 0
  /** The highest sequence number that the peer has, and the same before the segment came that is being read. */
  #highest = 0
  #highestBefore = 0
  /** Something arrived later than what was sent after it, so we wait a little before it is taken for lost; how long, in quarters of a round trip. */
  #isReordered = false
  #patience = 1
  #persistence = 0
  #grownAt = 0

  /** From `una` to `end` is under way as one part, and nothing else. */
  begin(una: number, end: number, time: number): void {
    const parts = this.#parts
    parts.length = 0
    parts.push({ end, time, order: this.#next++, state: OUT, isResent: false })
    this.una = this.#highest = this.#highestBefore = una
    this.held = this.lost = this.resent = 0
    this.probeEnd = undefined
    this.isMending = this.mustResend = false
  }

  /** Up to `end` was sent. What goes out at the same time, one behind the other, is one part. */
  add(end: number, time: number): void {
    const parts = this.#parts
    const last = parts[parts.length - 1]
    const isNext = last.time === time && last.order === this.#next - 1
    if ((isNext || parts.length >= MOST) && last.state === OUT && !last.isResent) {
      last.end = end
      last.time = time
    } else {
      parts.push({ end, time, order: this.#next++, state: OUT, isResent: false })
    }
  }

  /** Nothing is known to be missing: what is under way was sent once, and after all that was delivered. */
  get isWhole(): boolean {
    return this.held === 0 && this.lost === 0 && this.resent === 0 && this.#parts[0].order >= this.#order
  }

  /** Bytes that are in the network by all we know. */
  get pipe(): number {
    const parts = this.#parts
    return ((parts[parts.length - 1].end - this.una) | 0) - this.held - this.lost
  }

  // ---- what the peer says

  /** Blocks are going to be read, which are in no order, without an acknowledgment of more. */
  listen(): void {
    this.#highestBefore = this.#highest
  }

  /** All before `una` was acknowledged in the usual way. False: what follows was as well, selectively, so the peer has taken that back. */
  advance(una: number, now: number): boolean {
    if (this.held === 0 && this.lost === 0 && this.resent === 0) return this.#advanceInOrder(una, now)
    this.#highestBefore = this.#highest
    const parts = this.#parts
    let gone = 0
    let from = this.una
    while (gone < parts.length && ((parts[gone].end - una) | 0) <= 0) {
      const part = parts[gone++]
      this.#count(part, (from - part.end) | 0)
      if (part.state !== HELD) this.#delivered(part, part.end, now)
      from = part.end
    }
    if (gone > 0) parts.splice(0, gone)
    if (parts.length > 0 && ((una - from) | 0) > 0) {
      this.#count(parts[0], (from - una) | 0)
      if (parts[0].state !== HELD) this.#delivered(parts[0], una, now)
    }
    this.una = una
    return parts.length === 0 || parts[0].state !== HELD
  }

  /** The same where nothing is missing, which is what happens nearly always: only what was sent last of it tells anything. */
  #advanceInOrder(una: number, now: number): boolean {
    const parts = this.#parts
    const { length } = parts
    let gone = 0
    while (gone < length && ((parts[gone].end - una) | 0) <= 0) gone++
    const newest = gone < length && (gone === 0 || parts[gone - 1].end !== una) ? parts[gone] : parts[gone - 1]
    if (gone === 1) parts.shift()
    else if (gone > 0) parts.splice(0, gone)
    this.una = this.#highest = this.#highestBefore = this.#end = una
    this.#order = newest.order
    const rtt = now - newest.time
    if (rtt < this.leastRtt) this.leastRtt = rtt
    this.rtt = rtt
    return true
  }

  /** Takes a block, which lies between the first unacknowledged and the last sent number. False when it says nothing new. */
  hold(begin: number, end: number, now: number): boolean {
    const parts = this.#parts
    // Mostly the highest numbers are news: look for the place from the end.
    let i = parts.length - 1
    while (i > 0 && ((parts[i - 1].end - begin) | 0) > 0) i--
    let from = i === 0 ? this.una : parts[i - 1].end
    let news = false
    while (i < parts.length && ((from - end) | 0) < 0) {
      const part = parts[i]
      if (part.state !== HELD) {
        if (((begin - from) | 0) > 0) {
          if (!this.#cut(i, begin)) return news
          from = begin
          i++
          continue
        }
        if (((end - part.end) | 0) < 0 && !this.#cut(i, end)) return news
        const taken = parts[i]
        this.#count(taken, (from - taken.end) | 0)
        this.#delivered(taken, taken.end, now)
        taken.state = HELD
        this.#count(taken, (taken.end - from) | 0)
        news = true
      }
      from = parts[i].end
      if (i > 0 && parts[i - 1].state === HELD) {
        parts[i - 1].end = from
        parts.splice(i, 1)
      } else {
        i++
      }
    }
    if (i > 0 && i < parts.length && parts[i].state === HELD && parts[i - 1].state === HELD) {
      parts[i - 1].end = parts[i].end
      parts.splice(i, 1)
    }
    return news
  }

  /** The peer says that something arrived twice (RFC 2883): we were too quick to call it lost. Once a round trip. */
  arrivedTwice(max: number): void {
    this.#persistence = PERSISTENCE
    if (((this.una - this.#grownAt) | 0) < 0) return
    this.#grownAt = max
    if (this.#patience < 16) this.#patience++
  }

  /** A recovery is over. */
  mended(): void {
    this.isMending = this.mustResend = false
    if (this.#persistence > 0 && --this.#persistence === 0) this.#patience = 1
  }

  // ---- what is lost

  /**
   * Marks what is lost by now (section 6.2, step 5). Returns the milliseconds after which more of it will be, unless the peer says otherwise; 0
   * when nothing is waited for.
   * @param smoothed round-trip time
   * @param isRecovering a loss was seen already
   */
  detect(now: number, mss: number, smoothed: number, isRecovering: boolean): number {
    const limit = this.rtt + this.#window(mss, smoothed, isRecovering)
    let wait = 0
    let from = this.una
    for (const part of this.#parts) {
      const isEarlier = part.order < this.#order || (part.order === this.#order && ((part.end - this.#end) | 0) < 0)
      if (part.state === OUT && isEarlier) {
        const rest = part.time + limit - now
        if (rest <= 0) this.#lose(part, from)
        else if (rest > wait) wait = rest
      }
      from = part.end
    }
    return wait
  }

  /** Milliseconds that something may arrive later than what was sent after it. */
  #window(mss: number, smoothed: number, isRecovering: boolean): number {
    if (!this.#isReordered && (isRecovering || this.#isEnough(mss))) return 0
    const window = (this.leastRtt * this.#patience) / 4
    return window < smoothed ? window : smoothed
  }

  /** The peer has THRESHOLD segments beyond a hole: by bytes, or that many pieces. */
  #isEnough(mss: number): boolean {
    if (this.held > (THRESHOLD - 1) * (mss < LEAST_MSS ? LEAST_MSS : mss)) return true
    let pieces = 0
    for (const { state } of this.#parts) if (state === HELD) pieces++
    return pieces >= THRESHOLD
  }

  /** The retransmission timer expired (section 6.3): lost are the first part, and what was sent so long ago that it should have been heard of. */
  timedOut(now: number, smoothed: number): void {
    const limit = now - this.rtt - this.#window(0, smoothed, false)
    let from = this.una
    for (const part of this.#parts) {
      if (part.state === OUT && (from === this.una || part.time <= limit)) this.#lose(part, from)
      from = part.end
    }
    this.probeEnd = undefined
    this.mustResend = true
  }

  /** All of it is lost, also what the peer has said to have: it may have thrown that away (RFC 2018 section 8). */
  forget(): void {
    const end = this.#parts[this.#parts.length - 1].end
    this.#parts.length = 0
    this.#parts.push({ end, time: -Infinity, order: -1, state: LOST, isResent: true })
    this.held = this.resent = 0
    this.lost = (end - this.una) | 0
    this.mustResend = true
  }

  // ---- what is sent again

  /** Where the first lost part begins, as bytes from `una` on, and how many it has; -1 when there is none. */
  firstLost(): number {
    this.#at = -1
    if (this.lost === 0) return -1
    let from = this.una
    for (const [i, part] of this.#parts.entries()) {
      if (part.state === LOST) {
        this.#at = i
        this.length = (part.end - from) | 0
        return (from - this.una) | 0
      }
      from = part.end
    }
    return -1
  }

  length = 0
  #at = -1

  /** The first `length` bytes of what firstLost found were sent again. */
  resend(length: number, now: number): void {
    const parts = this.#parts
    const part = parts[this.#at]
    const from = this.#at === 0 ? this.una : parts[this.#at - 1].end
    const end = (from + length) | 0
    this.lost -= length
    this.resent += length
    // What is sent again one behind the other, at the same time, is one part.
    const before = this.#at > 0 ? parts[this.#at - 1] : undefined
    const isNext = before?.state === OUT && before.isResent && before.time === now && before.order === this.#next - 1
    const joins = isNext ? before : undefined
    const order = joins === undefined ? this.#next++ : joins.order
    if (end === part.end) {
      if (joins !== undefined) {
        joins.end = end
        parts.splice(this.#at, 1)
      } else {
        part.state = OUT
        part.isResent = true
        part.time = now
        part.order = order
      }
    } else if (joins !== undefined) {
      joins.end = end
    } else {
      parts.splice(this.#at, 0, { end, time: now, order, state: OUT, isResent: true })
    }
  }

  /** Where the last segment begins, as bytes from `una` on, when it is under way: for sending it again. -1 when the peer has it, or it is lost. */
  lastSegment(mss: number): number {
    const parts = this.#parts
    const last = parts[parts.length - 1]
    if (last.state !== OUT) return -1
    const from = parts.length === 1 ? this.una : parts[parts.length - 2].end
    const length = (last.end - from) | 0
    this.length = length > mss ? mss : length
    return (last.end - this.una - this.length) | 0
  }

  /** What lastSegment found was sent again. */
  resendLast(now: number): void {
    const parts = this.#parts
    let last = parts[parts.length - 1]
    if (this.#cut(parts.length - 1, (last.end - this.length) | 0)) last = parts[parts.length - 1]
    const from = parts.length === 1 ? this.una : parts[parts.length - 2].end
    if (!last.isResent) this.resent += (last.end - from) | 0
    last.isResent = true
    last.time = now
    last.order = this.#next++
  }

  // ---- parts

  /** Cuts a part in two at `at`. True when there is nothing to cut, too; false when there is no room for one more. */
  #cut(i: number, at: number): boolean {
    const parts = this.#parts
    const part = parts[i]
    const from = i === 0 ? this.una : parts[i - 1].end
    if (((at - from) | 0) <= 0 || at === part.end) return true
    if (parts.length >= 2 * MOST) return false
    parts.splice(i, 0, { ...part, end: at })
    return true
  }

  #lose(part: Part, from: number): void {
    this.#count(part, (from - part.end) | 0)
    part.state = LOST
    this.#count(part, (part.end - from) | 0)
  }

  /** So many bytes more are in the part's state, or fewer. */
  #count({ state, isResent }: Part, bytes: number): void {
    if (state === HELD) this.held += bytes
    else if (state === LOST) this.lost += bytes
    else if (isResent) this.resent += bytes
  }

  /** A part has arrived, up to `end` (section 6.2, steps 1 to 3). */
  #delivered({ time, order, isResent }: Part, end: number, now: number): void {
    if (((end - this.#highestBefore) | 0) <= 0 && !isResent) this.#isReordered = true
    if (((end - this.#highest) | 0) > 0) this.#highest = end
    const rtt = now - time
    // Sooner than it can be: it was not what was sent again that arrived, but what was sent before.
    if (isResent && rtt < this.leastRtt) return
    if (rtt < this.leastRtt) this.leastRtt = rtt
    if (order > this.#order || (order === this.#order && ((end - this.#end) | 0) > 0)) {
      this.#order = order
      this.#end = end
      this.rtt = rtt
    }
  }
}
