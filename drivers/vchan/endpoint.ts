/**
 * One end of a connected vchan as a byte stream. Who sleeps has set its notify bit and looked again; who makes a difference
 * clears the other's bit and kicks (libxenvchan's io.c).
 */

import { dispose } from '@xen-ts/drivers'
import { type ByteChannel, ChannelClosedError } from '@xen-ts/drivers/channel'
import type { XenMachine } from '@xen-ts/runtime/machine'
import { Live, Notify } from './layout.ts'
import type { Link } from './link.ts'
import { CORRUPT, type RingWriter } from './ring.ts'
import { Turn } from './turn.ts'

interface PendingRead {
  /** Set for a read of an exact length. */
  readonly into: Uint8Array | undefined
  /** 0 for who only wants to know that there is something. */
  readonly max: number
  filled: number
  resolve(bytes: Uint8Array | undefined): void
  reject(error: Error): void
}

interface PendingWrite {
  readonly bytes: Uint8Array
  offset: number
  resolve(): void
  reject(error: Error): void
}

const DEFAULT_READ = 65536
const done = Promise.resolve()
const nothing = new Uint8Array(0)
/** Beside CORRUPT: the channel has ended; and nobody has looked. */
const GONE = -2
const UNKNOWN = -3
const CONNECTED = Live.connected
const WRITTEN = Notify.write

export class Endpoint implements ByteChannel, Disposable {
  readonly #machine: XenMachine
  readonly #link: Link
  // What each small read and write looks at, without a way there.
  readonly #control: Uint8Array
  readonly #peerLive: number
  readonly #writer: RingWriter
  readonly #reads: PendingRead[] = []
  readonly #writes: PendingWrite[] = []
  readonly #turn: Turn
  /** Made when somebody asks for it. */
  #closed: Promise<void> | undefined
  #resolveClosed: (() => void) | undefined
  #onClosed: (() => void) | undefined
  /** Either end has closed. */
  #isOver = false
  #open = true
  /** Room that `tryWrite` saw, which was not enough; CORRUPT, or UNKNOWN. */
  #seen = UNKNOWN
  /** The peer closed, died or never was. What it sent before can still be read. */
  #peerGone = false
  #failure: ChannelClosedError | undefined

  constructor(machine: XenMachine, link: Link) {
    this.#machine = machine
    this.#link = link
    this.#control = link.control
    this.#peerLive = link.side.peerLive
    this.#writer = link.writer
    this.#turn = new Turn(machine, link, this)
  }

  get closed(): Promise<void> {
    return (this.#closed ??= this.#isOver
      ? done
      : new Promise(resolve => {
          this.#resolveClosed = resolve
        }))
  }

  whenClosed(callback: (() => void) | undefined): void {
    this.#onClosed = callback
    if (this.#isOver && callback !== undefined) this.#tellClosed()
  }

  read(max = DEFAULT_READ): Promise<Uint8Array | undefined> {
    if (!Number.isInteger(max) || max < 1) throw new RangeError(`${this.#link.name}: reading at most ${max} bytes. Ask for at least one.`)
    let available: number | undefined
    if (this.#reads.length === 0 && !this.#turn.spent) {
      available = this.#available()
      if (available > 0) return Promise.resolve(this.#take(new Uint8Array(available < max ? available : max)))
    }
    return new Promise((resolve, reject) => this.#startRead({ into: undefined, max, filled: 0, resolve, reject }, available))
  }

  readExactly(length: number): Promise<Uint8Array | undefined> {
    const into = new Uint8Array(length)
    if (length === 0) return Promise.resolve(into)
    let available: number | undefined
    if (this.#reads.length === 0 && !this.#turn.spent) {
      available = this.#available()
      if (available >= length) return Promise.resolve(this.#take(into))
    }
    return new Promise((resolve, reject) => this.#startRead({ into, max: length, filled: 0, resolve, reject }, available))
  }

  tryRead(max = DEFAULT_READ, least = 1): Uint8Array | undefined {
    if (this.#reads.length > 0 || this.#turn.spent || !this.#open) return undefined
    const available = this.#link.reader.available()
    return available < least ? undefined : this.#take(new Uint8Array(available < max ? available : max))
  }

  readable(): Promise<void> {
    let available: number | undefined
    if (this.#reads.length === 0 && !this.#turn.spent) {
      available = this.#available()
      if (available > 0) return done
    }
    return new Promise((resolve, reject) =>
      this.#startRead({ into: nothing, max: 0, filled: 0, resolve: () => resolve(), reject }, available),
    )
  }

  whenReadable(callback: () => void): boolean {
    let available: number | undefined
    if (this.#reads.length === 0 && !this.#turn.spent) {
      available = this.#available()
      if (available !== 0) return true
    }
    // What is wrong, if anything is, `read` tells.
    this.#startRead({ into: nothing, max: 0, filled: 0, resolve: callback, reject: callback }, available)
    return false
  }

  /** `bytes` must stay as they are until the promise resolves. */
  write(bytes: Uint8Array): Promise<void> {
    if (this.tryWrite(bytes)) return done
    const seen = this.#seen
    return new Promise((resolve, reject) => {
      this.#writes.push({ bytes, offset: 0, resolve, reject })
      if (this.#writes.length === 1) this.#pumpWrites(seen)
    })
  }

  tryWrite(bytes: Uint8Array): boolean {
    const turn = this.#turn
    this.#seen = UNKNOWN
    if (turn.spent || this.#writes.length > 0 || this.#peerGone || !this.#open) return false
    if (this.#control[this.#peerLive] !== CONNECTED) return false
    const { length } = bytes
    const room = this.#writer.offer(bytes, length)
    if (room < length) {
      this.#seen = room
      return false
    }
    if (length > 0) turn.did(WRITTEN, length)
    return true
  }

  close(): void {
    if (this.#open) this.#end(true)
  }

  /** The other end was left behind in the world before a resume, and its pages with it: they must not be touched any more. */
  lose(): void {
    if (!this.#open) return
    this.#failure = new ChannelClosedError(
      `${this.#link.name}: this domain was saved and restored, and the channel did not come along. Connect again.`,
    )
    this.#end(false)
  }

  #end(tell: boolean): void {
    this.#open = false
    this.#turn.end()
    this.#pumpReads()
    this.#pumpWrites()
    this.#link.release(tell)
    this.#over()
  }

  [dispose](): void {
    this.close()
  }

  /** To be called for each event of the channel, and when the peer may have died. */
  wake(): void {
    if (!this.#open) return
    this.#lookAtPeer()
    this.#pumpReads()
    if (this.#open) this.#pumpWrites()
  }

  /** Asks Xen whether the peer is still bound: nobody clears the live byte of a domain that was destroyed. */
  check(): void {
    if (!this.#open || this.#peerGone || this.#link.channel.connected) return
    this.#peerGone = true
    this.#over()
    this.wake()
  }

  #lookAtPeer(): void {
    if (this.#peerGone || this.#link.control[this.#link.side.peerLive] === Live.connected) return
    this.#peerGone = true
    this.#over()
  }

  #over(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#resolveClosed?.()
    if (this.#onClosed !== undefined) this.#tellClosed()
  }

  /** Later: who reads now gets first what is there. */
  #tellClosed(): void {
    void done.then(() => {
      const callback = this.#onClosed
      this.#onClosed = undefined
      callback?.()
    })
  }

  #startRead(read: PendingRead, available?: number): void {
    this.#reads.push(read)
    if (this.#reads.length === 1) this.#pumpReads(available)
  }

  /**
   * Serves waiting reads from the ring, until there are none, or the ring is empty and the peer will tell, or the turn has had its share.
   * @param seen what `#available` just said
   */
  #pumpReads(seen?: number): void {
    while (this.#reads.length > 0 && !this.#turn.spent) {
      const available = seen ?? this.#available()
      seen = undefined
      if (available > 0) this.#serveRead(this.#reads[0], available)
      else if (available === GONE) this.#endRead(this.#reads[0])
      else if (available === CORRUPT) return this.#fail('its producer index is impossible')
      else return
    }
  }

  /**
   * Bytes to read, CORRUPT, or GONE when there will be none any more. 0 only after the peer was asked to kick, and there were still
   * none.
   */
  #available(): number {
    if (!this.#open) return GONE
    const reader = this.#link.reader
    const control = this.#link.control
    const side = this.#link.side
    const available = reader.available()
    if (available !== 0) return available
    this.#turn.tell() // what we wait for may be its answer
    this.#lookAtPeer()
    // The or8 is a full barrier. After it, either we see what the peer wrote last, or it sees the bit and kicks. When the peer
    // is gone, this is the look at what it wrote before it said so.
    this.#machine.abi.or8(control, side.ask, Notify.write)
    return reader.available() || (this.#peerGone ? GONE : 0)
  }

  #serveRead(read: PendingRead, available: number): void {
    if (read.max === 0) {
      this.#reads.shift()
      return read.resolve(undefined)
    }
    const left = read.max - read.filled
    const length = available < left ? available : left
    const into = read.into ?? new Uint8Array(length)
    this.#take(into, read.filled, length)
    read.filled += length
    if (read.into !== undefined && read.filled < read.max) return
    this.#reads.shift()
    read.resolve(into)
  }

  #endRead(read: PendingRead): void {
    this.#reads.shift()
    if (this.#failure !== undefined) read.reject(this.#failure)
    else if (read.filled === 0) read.resolve(undefined)
    else
      read.reject(
        new ChannelClosedError(
          `${this.#link.name}: the channel ended after ${read.filled} of ${read.max} bytes. The peer closed it early, or speaks another protocol.`,
        ),
      )
  }

  /** The same for writes. @param seen what `tryWrite` has just seen of the first */
  #pumpWrites(seen = UNKNOWN): void {
    while (this.#writes.length > 0 && !this.#turn.spent) {
      const write = this.#writes[0]
      const left = write.bytes.length - write.offset
      const space = this.#space(left, seen)
      seen = UNKNOWN
      if (space === CORRUPT) return this.#fail('its consumer index is impossible')
      if (space === GONE) {
        this.#writes.shift()
        write.reject(
          this.#failure ??
            new ChannelClosedError(
              `${this.#link.name}: writing ${left} bytes to a closed channel. ${this.#open ? 'The peer has closed it or died' : 'It was closed here'}; connect again.`,
            ),
        )
      } else if (space >= left) {
        this.#writes.shift()
        this.#put(write.bytes, write.offset, left)
        write.resolve()
      } else if (space > 0) {
        this.#put(write.bytes, write.offset, space)
        write.offset += space
      } else {
        return
      }
    }
  }

  /** Room for some of `wanted` bytes, CORRUPT, or GONE. 0 only after the peer was asked to kick, and there was still none. */
  #space(wanted: number, seen: number): number {
    if (!this.#open) return GONE
    if (seen === UNKNOWN) this.#lookAtPeer()
    if (this.#peerGone) return GONE
    const writer = this.#link.writer
    const control = this.#link.control
    const side = this.#link.side
    const space = seen === UNKNOWN ? writer.space() : seen
    if (space !== 0 || wanted === 0) return space
    this.#turn.tell()
    this.#machine.abi.or8(control, side.ask, Notify.read)
    return writer.space()
  }

  #take(into: Uint8Array, offset = 0, length = into.length): Uint8Array {
    this.#link.reader.take(into, offset, length)
    this.#turn.did(Notify.read, length)
    return into
  }

  #put(bytes: Uint8Array, offset = 0, length = bytes.length): void {
    if (length === 0) return
    this.#link.writer.put(bytes, offset, length)
    this.#turn.did(Notify.write, length)
  }

  #fail(why: string): void {
    this.#link.warnings.warn(`${this.#link.name}: the peer broke the ring: ${why}. The channel is closed.`)
    this.#failure = new ChannelClosedError(`${this.#link.name}: the peer broke the ring: ${why}. Connect again.`)
    this.close()
  }
}
