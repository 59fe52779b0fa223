/** A wire between devices: everything that is sent by one arrives at the others, or does not, in the ways that wires have. */
import { CHECKSUM, COMPLETE, type EthernetDevice, type Frame } from '@xen-ts/runtime/machine'
import { segments } from './segments.ts'
import type { World } from './world.ts'

export interface WireConditions {
  /** Chance of a frame to be lost, to arrive twice, or to be delayed by up to `jitter`: 0 to 1. */
  loss?: number
  duplication?: number
  reordering?: number
  /** Chance that one bit of an IP packet is changed. (Ethernet has a checksum of its own, and ARP relies on it.) */
  corruption?: number
  /** Milliseconds from one end to the other, and the most that reordering adds. */
  delay?: number
  jitter?: number
  /** Bytes per millisecond; frames beyond `queue` bytes that wait for their turn are dropped. Default: no limit. */
  rate?: number
  queue?: number
}

export interface DeviceOptions {
  mtu?: number
  frames?: number
  /** It completes checksums and cuts large frames, as many at once as there are pages for. */
  offload?: boolean
}

/** Pages for large frames, and the most bytes that one may have. */
const PAGE = 4096
const PAGES = 64
const LARGE = 65_535

export class Wire {
  readonly world: World
  conditions: WireConditions
  readonly devices: SimulatedDevice[] = []
  /** Sees every frame before the wire does anything to it; false drops it. */
  filter: ((frame: Uint8Array, from: SimulatedDevice) => boolean) | undefined = undefined
  carried = 0
  lost = 0

  constructor(world: World, conditions: WireConditions = {}) {
    this.world = world
    this.conditions = conditions
  }

  device(mac: string, options: DeviceOptions = {}): SimulatedDevice {
    const device = new SimulatedDevice(this, new Uint8Array(mac.split(':').map(octet => parseInt(octet, 16))), options)
    this.devices.push(device)
    return device
  }

  transmit(bytes: Uint8Array, from: SimulatedDevice): void {
    const { loss = 0, duplication = 0, reordering = 0, corruption = 0, delay = 0.1, jitter = 2, rate, queue = 64 * 1024 } = this.conditions
    const { world } = this
    this.carried++
    if (this.filter?.(bytes, from) === false || world.random() < loss) {
      this.lost++
      return
    }
    let wait = delay
    if (rate !== undefined) {
      const backlog = Math.max(from.busyUntil - world.now, 0)
      if (backlog * rate > queue) {
        this.lost++
        return
      }
      from.busyUntil = world.now + backlog + bytes.length / rate
      wait += from.busyUntil - world.now
    }
    if (world.random() < reordering) wait += world.random() * jitter
    const copies = world.random() < duplication ? 2 : 1
    const isIp = (bytes[12] === 8 && bytes[13] === 0) || (bytes[12] === 0x86 && bytes[13] === 0xdd)
    if (isIp && world.random() < corruption) {
      bytes[14 + Math.floor(world.random() * (bytes.length - 14))] ^= 1 << Math.floor(world.random() * 8)
    }
    for (const device of this.devices) {
      if (device === from) continue
      for (let i = 0; i < copies; i++) world.at(wait + i * world.random() * jitter, () => device.arrive(bytes))
    }
  }
}

export class SimulatedDevice implements EthernetDevice {
  readonly mac: Uint8Array
  readonly mtu: number
  onReceive: EthernetDevice['onReceive'] = undefined
  onWritable: EthernetDevice['onWritable'] = undefined
  onIdle: EthernetDevice['onIdle'] = undefined
  onConnected: EthernetDevice['onConnected'] = undefined
  readonly checksums: boolean
  /** Large frames that were sent. */
  large = 0
  /** When the last frame will have left, for wires with a rate. */
  busyUntil = 0
  readonly #wire: Wire
  readonly #free: Frame[] = []
  /** Large frames that are not free, and pages for more. */
  readonly #large = new Set<Frame>()
  #pages: number
  readonly #all = new Set<Frame>()
  #starved = false
  #inbox: Uint8Array[] = []
  readonly #receiveFrame = newFrame(1514)

  constructor(wire: Wire, mac: Uint8Array, { mtu = 1500, frames = 256, offload = false }: DeviceOptions) {
    this.#wire = wire
    this.mac = mac
    this.mtu = mtu
    this.checksums = offload
    this.#pages = offload ? PAGES : 0
    for (let i = 0; i < frames; i++) {
      const frame = newFrame(mtu + 14)
      this.#free.push(frame)
      this.#all.add(frame)
    }
  }

  /** Frames that the stack has reserved and not handed back. */
  get reserved(): number {
    return this.#all.size - this.#free.length + this.#large.size
  }

  reserve(length = 0): Frame | undefined {
    if (length > 0) return this.#reserveLarge(length)
    const frame = this.#free.pop()
    if (frame === undefined) this.#starved = true
    return frame
  }

  #reserveLarge(length: number): Frame {
    if (length > this.largest()) throw new RangeError(`reserving a frame of ${length} bytes, ${this.largest()} are possible`)
    this.#pages -= Math.ceil(length / PAGE)
    const frame = newFrame(length)
    this.#large.add(frame)
    return frame
  }

  get checksums6(): boolean {
    return this.checksums
  }

  largest(): number {
    return Math.min(this.#pages * PAGE, LARGE)
  }

  send(frame: Frame, length: number, offload = COMPLETE): void {
    if (length < 14 || (length > this.mtu + 14 && offload <= CHECKSUM)) throw new RangeError(`frame of ${length} bytes, MTU ${this.mtu}`)
    if (offload !== COMPLETE && !this.checksums) throw new RangeError(`offload ${offload} asked of a device without`)
    const bytes = frame.u8.slice(0, length)
    if (offload > CHECKSUM) this.large++
    // The frame stays with the backend for a moment, as in netfront.
    this.#wire.world.at(0.01, () => this.#back(frame))
    for (const packet of offload === COMPLETE ? [bytes] : segments(bytes, offload)) this.#wire.transmit(packet, this)
  }

  discard(frame: Frame): void {
    this.#back(frame)
  }

  #back(frame: Frame): void {
    if (this.#large.delete(frame)) {
      this.#pages += Math.ceil(frame.u8.length / PAGE)
      return
    }
    if (!this.#all.has(frame) || this.#free.includes(frame)) throw new Error('frame handed back twice')
    frame.u8.fill(0xa5) // nobody may rely on what was in it
    this.#free.push(frame)
    if (this.#starved) {
      this.#starved = false
      this.onWritable?.()
    }
  }

  /** Frames that arrive at the same moment are one batch. */
  arrive(bytes: Uint8Array): void {
    this.#inbox.push(bytes)
    if (this.#inbox.length > 1) return
    this.#wire.world.at(0, () => {
      for (const one of this.#inbox.splice(0)) {
        const frame = this.#receiveFrame
        frame.u8.fill(0x5a)
        frame.u8.set(one)
        this.onReceive?.(frame, one.length)
        frame.u8.fill(0x5a) // the frame is the receiver's during the call only
      }
      this.onIdle?.()
    })
  }

  async close(): Promise<void> {}
}

function newFrame(size: number): Frame {
  const u8 = new Uint8Array(size + (size & 1))
  return { u8, u16: new Uint16Array(u8.buffer) }
}
