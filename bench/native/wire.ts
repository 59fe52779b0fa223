/** A client on the wire of the guest's network device: frames of TCP and UDP in both families. */
import { SimulatedNetback } from '@xen-ts/drivers/sim'
import { dom0, dom0Drivers, guest, Signal } from './world.ts'

export const [FIN, SYN, PSH, ACK] = [1, 2, 8, 16]
const [TCP, UDP, ICMPV6] = [6, 17, 58]
/** data_validated and csum_blank (io/netif.h): no checksum of TCP or UDP need be right. */
const UNCHECKED = 3
const GUEST_MAC = [0, 0x16, 0x3e, 0x5e, 0x6c, 0]
const CLIENT_MAC = [2, 0, 0, 0, 0, 9]
const GUEST4 = [10, 0, 0, 2]
const CLIENT4 = [10, 0, 0, 1]
const GUEST6 = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]
const CLIENT6 = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]

export const commandLine = (family: 4 | 6): string => (family === 4 ? 'ipv4=10.0.0.2/24' : 'ipv6=fd00::2/64')

const be16 = (bytes: Uint8Array, at: number, value: number): void => {
  bytes[at] = value >> 8
  bytes[at + 1] = value & 255
}
const be32 = (bytes: Uint8Array, at: number, value: number): void => {
  be16(bytes, at, (value >>> 16) & 0xffff)
  be16(bytes, at + 2, value & 0xffff)
}
const read32 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0

function sumOf(bytes: Uint8Array, from: number, to: number, initial = 0): number {
  let sum = initial
  for (let i = from; i < to; i += 2) sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return sum
}

export class Wire extends Signal {
  /** Of the guest, of UDP, since the last look. */
  datagrams = 0
  /** Of the guest, of whatever kind. */
  frames = 0
  /** Bytes of a segment that fills a frame. */
  readonly segment: number
  readonly netback: SimulatedNetback
  readonly connections = new Map<number, Connection>()
  /** Where the header of the transport begins. */
  readonly header: number
  readonly #v6: boolean

  constructor(family: 4 | 6) {
    super()
    this.#v6 = family === 6
    this.header = this.#v6 ? 54 : 34
    this.segment = this.#v6 ? 1440 : 1460
    this.netback = new SimulatedNetback(dom0, dom0Drivers, guest.domid)
    this.netback.onReceive = packet => this.#arrives(packet)
  }

  /** A whole packet; its length is written. */
  packet(protocol: number, transport: number, payload: Uint8Array): Uint8Array {
    const size = transport + payload.length
    const bytes = new Uint8Array(this.header + size)
    bytes.set([...GUEST_MAC, ...CLIENT_MAC])
    if (this.#v6) bytes.set([0x86, 0xdd, 0x60, 0, 0, 0, size >> 8, size & 255, protocol, 64, ...CLIENT6, ...GUEST6], 12)
    else {
      const total = size + 20
      bytes.set([8, 0, 0x45, 0, total >> 8, total & 255, 0, 0, 0x40, 0, 64, protocol, 0, 0, ...CLIENT4, ...GUEST4], 12)
      be16(bytes, 24, ~sumOf(bytes, 14, 34) & 0xffff)
    }
    bytes.set(payload, this.header + transport)
    return bytes
  }

  datagram(port: number, payload: Uint8Array): Uint8Array {
    const bytes = this.packet(UDP, 8, payload)
    be16(bytes, this.header, 5000)
    be16(bytes, this.header + 2, port)
    be16(bytes, this.header + 4, 8 + payload.length)
    return bytes
  }

  tcp(payload: Uint8Array, from: number, port: number): Uint8Array {
    const bytes = this.packet(TCP, 20, payload)
    be16(bytes, this.header, from)
    be16(bytes, this.header + 2, port)
    bytes[this.header + 12] = 0x50
    be16(bytes, this.header + 14, 65_000)
    return bytes
  }

  /** @param segment bytes of the segments that a large packet was not cut into */
  send(bytes: Uint8Array, segment = 0): void {
    this.netback.send(bytes, UNCHECKED, segment)
  }

  /** @param scale of the client's window (RFC 7323), which is 65,000 bytes without */
  async connect(from: number, port: number, scale = 0): Promise<Connection> {
    const connection = new Connection(this, from, port, scale)
    this.connections.set(from, connection)
    await connection.open()
    return connection
  }

  #arrives(bytes: Uint8Array): void {
    this.netback.received.length = this.netback.receivedAs.length = 0
    this.frames++
    if (bytes[12] === 8 && bytes[13] === 6) return this.#arp(bytes)
    const protocol = bytes[this.#v6 ? 20 : 23]
    if (protocol === ICMPV6) this.#neighbour(bytes)
    else if (protocol === UDP) this.datagrams++
    else if (protocol === TCP) {
      const size = this.#v6 ? (bytes[18]! << 8) | bytes[19]! : ((bytes[16]! << 8) | bytes[17]!) - 20
      const at = this.header
      this.connections
        .get((bytes[at + 2]! << 8) | bytes[at + 3]!)
        ?.arrives(bytes[at + 13]!, read32(bytes, at + 4), size - (bytes[at + 12]! >> 4) * 4, read32(bytes, at + 8))
    }
    this.notify()
  }

  #arp(bytes: Uint8Array): void {
    if (bytes[21] !== 1 || bytes[41] !== 1) return
    const own = bytes.subarray(22, 32)
    this.netback.send(Uint8Array.from([...GUEST_MAC, ...CLIENT_MAC, 8, 6, 0, 1, 8, 0, 6, 4, 0, 2, ...CLIENT_MAC, ...CLIENT4, ...own]))
  }

  /** Answers who asks for the client's address (RFC 4861 section 4.4), and nobody else. */
  #neighbour(bytes: Uint8Array): void {
    if (bytes[54] !== 135 || bytes[77] !== 1) return
    const answer = this.packet(ICMPV6, 0, Uint8Array.from([136, 0, 0, 0, 0x60, 0, 0, 0, ...CLIENT6, 2, 1, ...CLIENT_MAC]))
    answer[21] = 255
    answer.set(bytes.subarray(22, 38), 38)
    be16(answer, 56, ~sumOf(answer, 22, answer.length, ICMPV6 + 32) & 0xffff)
    this.netback.send(answer)
  }
}

/** One connection of the client, which takes everything and acknowledges what it is asked to. */
export class Connection {
  /** Bytes of the guest so far. */
  received = 0
  /** Bytes sent so far; and what the guest has acknowledged of them. */
  position = 0
  #taken = 0
  isOpen = false
  isEnded = false
  readonly #wire: Wire
  readonly #from: number
  readonly #port: number
  readonly #scale: number
  #sequence = 1000
  #acknowledgment = 0

  constructor(wire: Wire, from: number, port: number, scale: number) {
    this.#wire = wire
    this.#scale = scale
    this.#from = from
    this.#port = port
  }

  async open(): Promise<void> {
    const options = [2, 4, this.#wire.segment >> 8, this.#wire.segment & 255]
    if (this.#scale > 0) options.push(1, 3, 3, this.#scale)
    const syn = this.#wire.packet(TCP, 20 + options.length, new Uint8Array(0))
    const { header } = this.#wire
    syn.set(this.segment(new Uint8Array(0), SYN).subarray(header), header)
    syn[header + 12] = (20 + options.length) << 2
    syn.set(options, header + 20)
    this.#wire.send(syn)
    this.#sequence++
    await this.#wire.until(() => this.isOpen)
    this.acknowledge()
  }

  segment(payload: Uint8Array, flags: number): Uint8Array {
    const bytes = this.#wire.tcp(payload, this.#from, this.#port)
    bytes[this.#wire.header + 13] = flags
    return this.#numbered(bytes)
  }

  /** Sends a segment that was made before, with the numbers of now: `length` bytes are in it. */
  send(bytes: Uint8Array, length: number, segment = 0): void {
    this.#wire.send(this.#numbered(bytes), segment)
    this.position += length
    this.#sequence = (this.#sequence + length) >>> 0
  }

  acknowledge(): void {
    this.#wire.send(this.segment(new Uint8Array(0), ACK))
  }

  async end(): Promise<void> {
    this.#wire.send(this.segment(new Uint8Array(0), FIN | ACK))
    this.#sequence++
    await this.#wire.until(() => this.isEnded)
    this.acknowledge()
    this.#wire.connections.delete(this.#from)
  }

  async until(received: number): Promise<void> {
    await this.#wire.until(() => this.received >= received)
  }

  /** Until the guest has acknowledged so many bytes. */
  async acknowledged(position: number): Promise<void> {
    await this.#wire.until(() => this.#taken >= position)
  }

  arrives(flags: number, sequence: number, length: number, acknowledgment: number): void {
    if (flags & 4) throw new Error('the guest has reset a connection')
    this.#taken = this.position - ((this.#sequence - acknowledgment) | 0)
    if (flags & SYN) {
      this.isOpen = true
      this.#acknowledgment = (sequence + 1) >>> 0
    } else if (length > 0 || flags & FIN) {
      this.#acknowledgment = (sequence + length + (flags & FIN)) >>> 0
      this.received += length
      if (flags & FIN) this.isEnded = true
    }
  }

  #numbered(bytes: Uint8Array): Uint8Array {
    be32(bytes, this.#wire.header + 4, this.#sequence)
    be32(bytes, this.#wire.header + 8, this.#acknowledgment)
    return bytes
  }
}
