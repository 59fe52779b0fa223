/**
 * One end of a connected vchan as a byte stream. Who sleeps has set its notify bit and looked again; who makes a difference
 * clears the other's bit and kicks (facts of libxenvchan's io.c). Both ends are the same but for which byte is whose.
 *
 * A kick costs both domains more than many small reads or writes, so the peer is told of them together: when half a ring has changed,
 * before we wait for it ourselves, or at the end of the turn of the event loop.
 */
import type { Machine, Timer } from '@xen-ts/runtime/machine.ts'
import { ChannelClosedError } from '@xen-ts/drivers/channel.ts'
import type { ByteChannel } from '@xen-ts/drivers/channel.ts'
import { dispose } from '@xen-ts/drivers/dispose.ts'
import type { EventChannel } from '@xen-ts/drivers/event-channel.ts'
import { Byte, Live, Notify } from './layout.ts'
import { CORRUPT } from './ring.ts'
import type { RingReader, RingWriter } from './ring.ts'

/** Which bytes of the control page an end uses. */
interface Side {
  readonly ownLive: number
  readonly peerLive: number
  /** Where we ask the peer for a kick. */
  readonly ask: number
  /** Where the peer asks us. */
  readonly asked: number
}

export const serverSide: Side = { ownLive: Byte.serverLive, peerLive: Byte.clientLive, ask: Byte.clientNotify, asked: Byte.serverNotify }
export const clientSide: Side = { ownLive: Byte.clientLive, peerLive: Byte.serverLive, ask: Byte.serverNotify, asked: Byte.clientNotify }

export interface Link {
  /** For messages: `vchan 0:512`. */
  readonly name: string
  readonly side: Side
  readonly control: Uint8Array
  readonly reader: RingReader
  readonly writer: RingWriter
  readonly channel: EventChannel
  /** Gives ports, pages and keys back. The shared memory must not be touched from then on. */
  release(): void
}

interface PendingRead {
  /** Set for a read of an exact length. */
  readonly into: Uint8Array | undefined
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
/** Reads and writes served in one turn of the event loop: timers and other devices get theirs however fast a peer is. */
const BUDGET = 256
const done = Promise.resolve()
/** Beside CORRUPT: the channel has ended. */
const GONE = -2

export class Endpoint implements ByteChannel, Disposable {
  readonly closed: Promise<void>
  readonly #machine: Machine
  readonly #link: Link
  readonly #reads: PendingRead[] = []
  readonly #writes: PendingWrite[] = []
  /** Bytes moved of which the peer is told at once, not at the end of the turn, so that both ends work at the same time. */
  readonly #soon: number
  /** What was done since the peer was last told, bits of Notify, and for how many bytes. */
  #untold = 0
  #untoldBytes = 0
  /** Set when something was done in this turn; fires at its end. */
  #turn: Timer | undefined
  #served = 0
  readonly #unsubscribe: () => void
  #resolveClosed = (): void => {}
  #open = true
  /** The peer closed, died or never was. What it sent before can still be read. */
  #peerGone = false
  #failure: ChannelClosedError | undefined

  constructor(machine: Machine, link: Link) {
    this.#machine = machine
    this.#link = link
    this.#soon = Math.min(link.reader.size, link.writer.size) >>> 1
    this.closed = new Promise((resolve) => { this.#resolveClosed = resolve })
    this.#unsubscribe = machine.suspension.subscribe('connections', { resume: (cancelled) => { if (!cancelled) this.#lose() } })
  }

  read(max = DEFAULT_READ): Promise<Uint8Array | undefined> {
    if (!Number.isInteger(max) || max < 1) throw new RangeError(`${this.#link.name}: reading at most ${max} bytes. Ask for at least one.`)
    let available: number | undefined
    if (this.#reads.length === 0 && this.#served < BUDGET) {
      available = this.#available()
      if (available > 0) return Promise.resolve(this.#take(new Uint8Array(available < max ? available : max)))
    }
    return new Promise((resolve, reject) => this.#startRead({ into: undefined, max, filled: 0, resolve, reject }, available))
  }

  readExactly(length: number): Promise<Uint8Array | undefined> {
    const into = new Uint8Array(length)
    if (length === 0) return Promise.resolve(into)
    let available: number | undefined
    if (this.#reads.length === 0 && this.#served < BUDGET) {
      available = this.#available()
      if (available >= length) return Promise.resolve(this.#take(into))
    }
    return new Promise((resolve, reject) => this.#startRead({ into, max: length, filled: 0, resolve, reject }, available))
  }

  /** `bytes` must stay as they are until the promise resolves. */
  write(bytes: Uint8Array): Promise<void> {
    let space: number | undefined
    if (this.#writes.length === 0 && this.#served < BUDGET) {
      space = this.#space(bytes.length)
      if (space >= bytes.length) {
        this.#put(bytes)
        return done
      }
    }
    return new Promise((resolve, reject) => {
      this.#writes.push({ bytes, offset: 0, resolve, reject })
      if (this.#writes.length === 1) this.#pumpWrites(space)
    })
  }

  close(): void {
    if (!this.#open) return
    const { control, side, channel } = this.#link
    control[side.ownLive] = Live.gone
    this.#machine.abi.fence()
    channel.notify() // whether it asked or not: this is the last thing it hears
    this.#end()
  }

  /** The other end was left behind in the world before a resume, and its pages with it: they must not be touched any more. */
  #lose(): void {
    if (!this.#open) return
    this.#failure = new ChannelClosedError(`${this.#link.name}: this domain was saved and restored, and the channel did not come along. Connect again.`)
    this.#end()
  }

  #end(): void {
    this.#open = false
    this.#unsubscribe()
    this.#turn?.cancel()
    this.#served = 0
    this.#pumpReads()
    this.#pumpWrites()
    this.#link.release()
    this.#resolveClosed()
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
  checkAlive(): void {
    if (!this.#open || this.#peerGone || this.#link.channel.connected) return
    this.#peerGone = true
    this.#resolveClosed()
    this.wake()
  }

  #lookAtPeer(): void {
    if (this.#peerGone || this.#link.control[this.#link.side.peerLive] === Live.connected) return
    this.#peerGone = true
    this.#resolveClosed()
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
    while (this.#reads.length > 0 && this.#served < BUDGET) {
      const available = seen ?? this.#available()
      seen = undefined
      if (available > 0) this.#serveRead(this.#reads[0], available)
      else if (available === GONE) this.#endRead(this.#reads[0])
      else if (available === CORRUPT) return this.#fail('its producer index is impossible')
      else return
    }
  }

  /** Bytes to read, CORRUPT, or GONE when there will be none any more. 0 only after the peer was asked to kick, and there were still none. */
  #available(): number {
    if (!this.#open) return GONE
    const { reader, control, side } = this.#link
    const available = reader.available()
    if (available !== 0) return available
    if (this.#untold !== 0) this.#tell() // what we wait for may be its answer
    this.#lookAtPeer()
    // The or8 is a full barrier. After it, either we see what the peer wrote last, or it sees the bit and kicks. When the peer
    // is gone, this is the look at what it wrote before it said so.
    this.#machine.abi.or8(control, side.ask, Notify.write)
    return reader.available() || (this.#peerGone ? GONE : 0)
  }

  #serveRead(read: PendingRead, available: number): void {
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
    else read.reject(new ChannelClosedError(`${this.#link.name}: the channel ended after ${read.filled} of ${read.max} bytes. The peer closed it early, or speaks another protocol.`))
  }

  /** The same for writes. */
  #pumpWrites(seen?: number): void {
    while (this.#writes.length > 0 && this.#served < BUDGET) {
      const write = this.#writes[0]
      const left = write.bytes.length - write.offset
      const space = seen ?? this.#space(left)
      seen = undefined
      if (space === CORRUPT) return this.#fail('its consumer index is impossible')
      if (space === GONE) {
        this.#writes.shift()
        write.reject(this.#failure ?? new ChannelClosedError(`${this.#link.name}: writing ${left} bytes to a closed channel. ${this.#open ? 'The peer has closed it or died' : 'It was closed here'}; connect again.`))
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
  #space(wanted: number): number {
    if (!this.#open) return GONE
    this.#lookAtPeer()
    if (this.#peerGone) return GONE
    const { writer, control, side } = this.#link
    const space = writer.space()
    if (space !== 0 || wanted === 0) return space
    if (this.#untold !== 0) this.#tell()
    this.#machine.abi.or8(control, side.ask, Notify.read)
    return writer.space()
  }

  #take(into: Uint8Array, offset = 0, length = into.length): Uint8Array {
    this.#link.reader.take(into, offset, length)
    this.#did(Notify.read, length)
    return into
  }

  #put(bytes: Uint8Array, offset = 0, length = bytes.length): void {
    if (length === 0) return
    this.#link.writer.put(bytes, offset, length)
    this.#did(Notify.write, length)
  }

  /** Notes what the peer is to be told. */
  #did(what: number, bytes: number): void {
    this.#untold |= what
    this.#untoldBytes += bytes
    this.#served++
    this.#turn ??= this.#machine.timers.set(0, this.#onTurnEnd)
    if (this.#untoldBytes >= this.#soon) this.#tell()
  }

  readonly #onTurnEnd = (): void => {
    this.#turn = undefined
    const more = this.#served >= BUDGET
    this.#served = 0
    if (this.#untold !== 0) this.#tell()
    if (more) this.wake()
  }

  /** Kicks the peer if it asked for that. The and8 is a full barrier: our indices are visible before we look whether it sleeps. */
  #tell(): void {
    const { control, side, channel } = this.#link
    const told = this.#untold
    this.#untold = this.#untoldBytes = 0
    if ((this.#machine.abi.and8(control, side.asked, ~told & 0xff) & told) !== 0) channel.notify()
  }

  #fail(why: string): void {
    this.#machine.log('vchan').warn(`${this.#link.name}: the peer broke the ring: ${why}. The channel is closed.`)
    this.#failure = new ChannelClosedError(`${this.#link.name}: the peer broke the ring: ${why}. Connect again.`)
    this.close()
  }
}
