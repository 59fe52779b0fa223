/** A host that speaks raw frames: what a test sends is exactly what arrives, right or wrong. Byte by byte, unlike the code it tests. */
import { testAbi } from './abi.ts'
import type { SimulatedDevice, Wire } from './wire.ts'

export interface TcpFields {
  sourcePort?: number
  destinationPort?: number
  seq?: number
  ack?: number
  flags?: number
  window?: number
  payload?: Uint8Array
  options?: number[]
}

export interface SeenSegment {
  sourcePort: number
  destinationPort: number
  seq: number
  ack: number
  flags: number
  window: number
  options: number[]
  payload: Buffer
}

const abi = testAbi(0, () => 0)
const octets = (address: string): number[] => address.split('.').map(Number)

export class RawPeer {
  readonly device: SimulatedDevice
  readonly ip: string
  /** Where packets go, and frames. */
  target: string
  readonly targetMac: number[]
  /** Frames that arrived, oldest first. */
  readonly frames: Buffer[] = []
  /** Whether ARP requests for `ip` are answered. */
  answersArp = true

  constructor(wire: Wire, ip: string, target: string, targetMac: string) {
    this.device = wire.device('02:00:00:00:00:99')
    this.ip = ip
    this.target = target
    this.targetMac = targetMac.split(':').map(octet => parseInt(octet, 16))
    this.device.onReceive = (frame, length) => {
      const bytes = Buffer.from(frame.u8.slice(0, length))
      this.frames.push(bytes)
      const asksForUs =
        bytes.readUInt16BE(12) === 0x806 && bytes.readUInt16BE(20) === 1 && bytes.subarray(38, 42).equals(Buffer.from(octets(ip)))
      if (asksForUs && this.answersArp) this.arp(2, { target: [...bytes.subarray(22, 28)] })
    }
  }

  /** Segments that arrived, and forgets all frames. */
  segments(): SeenSegment[] {
    const seen = this.frames.splice(0).filter(frame => frame.readUInt16BE(12) === 0x800 && frame[23] === 6)
    return seen.map(frame => {
      const header = (frame[46] >> 4) * 4
      return {
        sourcePort: frame.readUInt16BE(34),
        destinationPort: frame.readUInt16BE(36),
        seq: frame.readUInt32BE(38),
        ack: frame.readUInt32BE(42),
        flags: frame[47],
        window: frame.readUInt16BE(48),
        options: [...frame.subarray(54, 34 + header)],
        payload: frame.subarray(34 + header),
      }
    })
  }

  sendFrame(bytes: Uint8Array): void {
    const frame = this.device.reserve()!
    frame.u8.set(bytes)
    this.device.send(frame, bytes.length)
  }

  arp(
    operation: number,
    { senderIp = octets(this.ip), senderMac = [...this.device.mac], target = [0, 0, 0, 0, 0, 0], targetIp = octets(this.target) } = {},
  ): void {
    const destination = operation === 1 ? [255, 255, 255, 255, 255, 255] : this.targetMac
    this.sendFrame(
      new Uint8Array([
        ...destination,
        ...this.device.mac,
        8,
        6,
        0,
        1,
        8,
        0,
        6,
        4,
        0,
        operation,
        ...senderMac,
        ...senderIp,
        ...target,
        ...targetIp,
      ]),
    )
  }

  /** An IP packet with a right header, unless `change` makes it wrong. */
  ip4(protocol: number, payload: Uint8Array, change: (packet: Buffer) => void = () => {}, options: number[] = [], source = this.ip): void {
    const header = 20 + options.length
    const packet = Buffer.alloc(header + payload.length)
    packet.set([0x40 | (header / 4), 0, 0, 0, 0, 0, 0x40, 0, 64, protocol, 0, 0, ...octets(source), ...octets(this.target), ...options])
    packet.writeUInt16BE(packet.length, 2)
    packet.set(payload, header)
    packet.writeUInt16LE(~abi.checksum(packet, 0, header, 0) & 0xffff, 10)
    change(packet)
    this.sendFrame(Buffer.concat([new Uint8Array([...this.targetMac, ...this.device.mac, 8, 0]), packet]))
  }

  /** A fragment with a right header: a piece of a packet's payload. */
  fragment(protocol: number, piece: Uint8Array, { id = 7, offset = 0, more = false, source = this.ip } = {}): void {
    const change = (packet: Buffer): void => {
      packet.writeUInt16BE(id, 4)
      packet.writeUInt16BE((more ? 0x2000 : 0) | (offset >> 3), 6)
      packet.writeUInt16BE(0, 10)
      packet.writeUInt16LE(~abi.checksum(packet, 0, 20, 0) & 0xffff, 10)
    }
    this.ip4(protocol, piece, change, [], source)
  }

  /** A packet's payload in fragments of `size` bytes. */
  fragments(protocol: number, payload: Uint8Array, size: number, id = 7): void {
    for (let offset = 0; offset < payload.length; offset += size) {
      this.fragment(protocol, payload.subarray(offset, offset + size), { id, offset, more: offset + size < payload.length })
    }
  }

  /** An ICMP message with a right checksum. */
  message(type: number, code: number, rest: Uint8Array): Buffer {
    const message = Buffer.concat([Buffer.from([type, code, 0, 0]), rest])
    message.writeUInt16LE(~abi.checksum(message, 0, message.length, 0) & 0xffff, 2)
    return message
  }

  /** A datagram with a right checksum. */
  datagram(sourcePort: number, destinationPort: number, payload: Uint8Array): Buffer {
    const datagram = Buffer.alloc(8 + payload.length)
    datagram.writeUInt16BE(sourcePort, 0)
    datagram.writeUInt16BE(destinationPort, 2)
    datagram.writeUInt16BE(datagram.length, 4)
    datagram.set(payload, 8)
    datagram.writeUInt16LE(this.#transportSum(17, datagram, this.ip), 6)
    return datagram
  }

  icmp(
    type: number,
    code: number,
    rest: number[],
    change: (message: Buffer) => void = () => {},
    options: number[] = [],
    source = this.ip,
  ): void {
    const message = this.message(type, code, new Uint8Array(rest))
    change(message)
    this.ip4(1, message, undefined, options, source)
  }

  udp(sourcePort: number, destinationPort: number, payload: Uint8Array, change: (datagram: Buffer) => void = () => {}): void {
    const datagram = this.datagram(sourcePort, destinationPort, payload)
    change(datagram)
    this.ip4(17, datagram)
  }

  tcp(fields: TcpFields, change: (segment: Buffer) => void = () => {}, source = this.ip): void {
    const {
      sourcePort = 5000,
      destinationPort = 80,
      seq = 0,
      ack = 0,
      flags = 0x10,
      window = 65535,
      payload = new Uint8Array(0),
      options = [],
    } = fields
    const segment = Buffer.alloc(20 + options.length + payload.length)
    segment.writeUInt16BE(sourcePort, 0)
    segment.writeUInt16BE(destinationPort, 2)
    segment.writeUInt32BE(seq >>> 0, 4)
    segment.writeUInt32BE(ack >>> 0, 8)
    segment[12] = ((20 + options.length) / 4) << 4
    segment[13] = flags
    segment.writeUInt16BE(window, 14)
    segment.set(options, 20)
    segment.set(payload, 20 + options.length)
    segment.writeUInt16LE(this.#transportSum(6, segment, source), 16)
    change(segment)
    this.ip4(6, segment, undefined, [], source)
  }

  #transportSum(protocol: number, data: Buffer, source: string): number {
    const pseudo = Buffer.from([...octets(source), ...octets(this.target), 0, protocol, data.length >> 8, data.length & 255])
    return ~abi.checksum(data, 0, data.length, abi.checksum(pseudo, 0, 12, 0)) & 0xffff
  }
}
