/**
 * One end of a connected vchan as a byte stream. Who sleeps has set its notify bit and looked again; who makes a difference
 * clears the other's bit and kicks (facts of libxenvchan's io.c). Both ends are the same but for which byte is whose.
 */
import type { Machine } from '@xen-ts/runtime/machine.ts'
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

export class Endpoint implements ByteChannel, Disposable {
  readonly closed: Promise<void>
  readonly #machine: Machine
  readonly #link: Link
  readonly #reads: PendingRead[] = []
  readonly #writes: PendingWrite[] = []
  readonly #unsubscribe: () => void
  #resolveClosed = (): void => {}
  #open = true
  /** The peer closed, died or never was. What it sent before can still be read. */
  #peerGone = false
  #failure: ChannelClosedError | undefined

  constructor(machine: Machine, link: Link) {
    this.#machine = machine
    this.#link = link
    this.closed = new Promise((resolve) => { this.#resolveClosed = resolve })
    this.#unsubscribe = machine.suspension.subscribe('connections', { resume: (cancelled) => { if (!cancelled) this.#lose() } })
  }

  read(max = DEFAULT_READ): Promise<Uint8Array | undefined> {
    if (!Number.isInteger(max) || max < 1) throw new RangeError(`${this.#link.name}: reading at most ${max} bytes. Ask for at least one.`)
    return new Promise((resolve, reject) => this.#startRead({ into: undefined, max, filled: 0, resolve, reject }))
  }

  readExactly(length: number): Promise<Uint8Array | undefined> {
    const into = new Uint8Array(length)
    if (length === 0) return Promise.resolve(into)
    return new Promise((resolve, reject) => this.#startRead({ into, max: length, filled: 0, resolve, reject }))
  }

  /** `bytes` must stay as they are until the promise resolves. */
  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#writes.push({ bytes, offset: 0, resolve, reject })
      if (this.#writes.length === 1) this.#pumpWrites()
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

  #startRead(read: PendingRead): void {
    this.#reads.push(read)
    if (this.#reads.length === 1) this.#pumpReads()
  }

  /** Serves waiting reads from the ring, until there are none or the ring is empty and the peer will tell. */
  #pumpReads(): void {
    while (this.#reads.length > 0) {
      const available = this.#available()
      if (available === CORRUPT) return this.#fail('its producer index is impossible')
      if (available > 0) this.#serveRead(this.#reads[0], available)
      else if (!this.#open || this.#peerGone) this.#endRead(this.#reads[0])
      else return
    }
  }

  /** Bytes to read. 0 only after the peer was asked to kick, and there was still nothing. */
  #available(): number {
    if (!this.#open) return 0
    const { reader, control, side } = this.#link
    const available = reader.available()
    if (available !== 0) return available
    this.#lookAtPeer()
    // The or8 is a full barrier. After it, either we see what the peer wrote last, or it sees the bit and kicks. When the peer
    // is gone, this is the look at what it wrote before it said so.
    this.#machine.abi.or8(control, side.ask, Notify.write)
    return reader.available()
  }

  #serveRead(read: PendingRead, available: number): void {
    const length = Math.min(available, read.max - read.filled)
    const into = read.into ?? new Uint8Array(length)
    this.#link.reader.take(into, read.filled, length)
    read.filled += length
    this.#kickIfAsked(Notify.read)
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

  #pumpWrites(): void {
    while (this.#writes.length > 0) {
      const write = this.#writes[0]
      const remaining = write.bytes.length - write.offset
      if (this.#open) this.#lookAtPeer()
      if (!this.#open || this.#peerGone) {
        this.#writes.shift()
        write.reject(this.#failure ?? new ChannelClosedError(`${this.#link.name}: writing ${remaining} bytes to a closed channel. ${this.#open ? 'The peer has closed it or died' : 'It was closed here'}; connect again.`))
      } else if (remaining > 0) {
        const space = this.#space()
        if (space === CORRUPT) return this.#fail('its consumer index is impossible')
        if (space === 0) return
        const length = Math.min(space, remaining)
        this.#link.writer.put(write.bytes, write.offset, length)
        write.offset += length
        this.#kickIfAsked(Notify.write)
      } else {
        this.#writes.shift()
        write.resolve()
      }
    }
  }

  /** Room for writing. 0 only after the peer was asked to kick, and there was still none. */
  #space(): number {
    const { writer, control, side } = this.#link
    const space = writer.space()
    if (space !== 0) return space
    this.#machine.abi.or8(control, side.ask, Notify.read)
    return writer.space()
  }

  /** The and8 is a full barrier: our index is visible before we look whether the peer sleeps. */
  #kickIfAsked(what: number): void {
    const { control, side, channel } = this.#link
    if ((this.#machine.abi.and8(control, side.asked, ~what & 0xff) & what) !== 0) channel.notify()
  }

  #fail(why: string): void {
    this.#machine.log('vchan').warn(`${this.#link.name}: the peer broke the ring: ${why}. The channel is closed.`)
    this.#failure = new ChannelClosedError(`${this.#link.name}: the peer broke the ring: ${why}. Connect again.`)
    this.close()
  }
}
