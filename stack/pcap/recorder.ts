/**
 * Records what goes through a network device, both ways, for as long as somebody wants it. The device is changed in place and put back
 * afterwards: while nothing is recorded there is nothing in the way of a packet. It may begin before the stack takes the device, or later.
 */
import { CHECKSUM, type EthernetDevice, type Frame, type HostFunctions } from '@xen-ts/runtime/machine'
import type { DropWatch } from './drops.ts'
import { concat, packetBytes, writeHeader, writePacket } from './pcapng.ts'

export interface RecordOptions {
  /** What the interface is called in the file. Default `eth0`. */
  readonly name?: string
  /** Bytes of the file that are kept at most. Default 1 MiB. */
  readonly limit?: number
  /** What comes when they are used up: the oldest packets go, or the recording ends. Default `ring`. */
  readonly full?: 'ring' | 'stop'
  /** Bytes that are kept of a packet, 14 at least. Default: all. */
  readonly snapLength?: number
  /** Tells why a packet that arrived was dropped: a comment on it. See drops.ts. */
  readonly drops?: DropWatch
}

interface Entry {
  /** Monotonic milliseconds. */
  readonly time: number
  readonly outbound: boolean
  readonly bytes: Uint8Array
  readonly length: number
  comment: string | undefined
}

const DEFAULT_LIMIT = 1024 * 1024

/** Devices that somebody records now. */
const recorded = new WeakSet<object>()

export class Recording {
  /** Packets that were recorded, and those of them that had to go for newer ones. */
  packets = 0
  evicted = 0
  readonly #abi: Pick<HostFunctions, 'clockMonotonic' | 'clockWall'>
  readonly #device: EthernetDevice
  readonly #limit: number
  readonly #ring: boolean
  readonly #snapLength: number
  readonly #drops: DropWatch | undefined
  readonly #header: Uint8Array
  /** Wall clock in microseconds where the monotonic one is 0. */
  readonly #epoch: number
  /** Oldest first. */
  readonly #entries = new Set<Entry>()
  #bytes = 0
  #headerTaken = false
  /** The properties that the device had of its own, and whoever gets its packets. */
  #own: { readonly send?: PropertyDescriptor; readonly onReceive?: PropertyDescriptor } = {}
  #handler: EthernetDevice['onReceive']
  #active = true

  /** Use `record`. */
  constructor(abi: Pick<HostFunctions, 'clockMonotonic' | 'clockWall'>, device: EthernetDevice, options: RecordOptions) {
    const { name = 'eth0', limit = DEFAULT_LIMIT, full = 'ring', snapLength = 0, drops } = options
    this.#abi = abi
    this.#device = device
    this.#limit = limit
    this.#ring = full === 'ring'
    this.#snapLength = snapLength === 0 ? Infinity : Math.max(snapLength, 14)
    this.#drops = drops
    this.#header = writeHeader('xen-ts', { name, mac: device.mac, snapLength: snapLength === 0 ? 0 : this.#snapLength })
    this.#epoch = Math.round((abi.clockWall() - abi.clockMonotonic()) * 1000)
    this.#attach()
  }

  /** Whether packets are still being recorded. */
  get active(): boolean {
    return this.#active
  }

  /** About how long the file is. */
  get bytes(): number {
    return this.#header.length + this.#bytes
  }

  /** Ends it, and leaves the device as it was; what was recorded stays. */
  stop(): void {
    if (!this.#active) return
    this.#active = false
    const device = this.#device as Partial<EthernetDevice>
    recorded.delete(device)
    delete device.send
    delete device.onReceive
    if (this.#own.send !== undefined) Object.defineProperty(device, 'send', this.#own.send)
    if (this.#own.onReceive !== undefined) Object.defineProperty(device, 'onReceive', this.#own.onReceive)
    device.onReceive = this.#handler
  }

  /** The file, with everything that is kept. */
  read(): Uint8Array {
    return concat([this.#header, ...this.#blocks()])
  }

  /** What was recorded since the last `take`, for a file that grows: the first part begins with its header. */
  take(): Uint8Array {
    const parts = this.#headerTaken ? this.#blocks() : [this.#header, ...this.#blocks()]
    this.#headerTaken = true
    this.#entries.clear()
    this.#bytes = 0
    return concat(parts)
  }

  #blocks(): Uint8Array[] {
    return [...this.#entries].map(entry => {
      const time = BigInt(this.#epoch) * 1000n + BigInt(Math.round(entry.time * 1e6))
      return writePacket({ ...entry, time })
    })
  }

  #attach(): void {
    const device = this.#device
    const { send } = device
    if (recorded.has(device)) throw new Error('this network device is recorded already: stop that recording first')
    recorded.add(device)
    this.#own = { send: Object.getOwnPropertyDescriptor(device, 'send'), onReceive: Object.getOwnPropertyDescriptor(device, 'onReceive') }
    this.#handler = device.onReceive
    device.send = (frame, length, offload) => {
      // A device that cuts gets one large packet: the file has it as it was given.
      const comment = offload !== undefined && offload > CHECKSUM ? `to be cut into segments of ${offload} bytes by the device` : undefined
      this.#add(true, frame, length, comment)
      send.call(device, frame, length, offload)
    }
    // Whoever takes the device from now on gets the packets behind this.
    Object.defineProperty(device, 'onReceive', {
      configurable: true,
      enumerable: true,
      get: () => this.#receive,
      set: (handler: EthernetDevice['onReceive']) => {
        this.#handler = handler
      },
    })
  }

  readonly #receive = (frame: Frame, length: number): void => {
    const drops = this.#drops
    // Before the stack sees it, so that its answers come behind it.
    const entry = this.#add(false, frame, length, undefined)
    drops?.mark()
    this.#handler?.(frame, length)
    const reason = drops?.reason()
    if (entry === undefined || reason === undefined) return
    entry.comment = `dropped: ${reason}`
    if (this.#entries.has(entry)) this.#bytes += entry.comment.length
  }

  #add(outbound: boolean, { u8 }: Frame, length: number, comment: string | undefined): Entry | undefined {
    const captured = Math.min(length, this.#snapLength)
    const size = packetBytes(captured) + (comment?.length ?? 0)
    if (!this.#ring && this.bytes + size > this.#limit) {
      this.stop()
      return undefined
    }
    const entry: Entry = { time: this.#abi.clockMonotonic(), outbound, bytes: u8.slice(0, captured), length, comment }
    this.#entries.add(entry)
    this.#bytes += size
    this.packets++
    for (const oldest of this.#entries) {
      if (this.bytes <= this.#limit) break
      this.#entries.delete(oldest)
      this.#bytes -= packetBytes(oldest.bytes.length) + (oldest.comment?.length ?? 0)
      this.evicted++
    }
    return entry
  }
}

/** Begins to record a device. Throws when it is recorded already. */
export function record(
  abi: Pick<HostFunctions, 'clockMonotonic' | 'clockWall'>,
  device: EthernetDevice,
  options: RecordOptions = {},
): Recording {
  return new Recording(abi, device, options)
}
