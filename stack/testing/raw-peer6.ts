/** A host that speaks raw frames of IPv6. Byte by byte, unlike the code it tests. */
import { parseIpv6 } from '@xen-ts/runtime/web'
import { testAbi } from './abi.ts'
import type { SimulatedDevice, Wire } from './wire.ts'

const abi = testAbi(0, () => 0)

/** The 16 bytes of an address. */
export const octets6 = (address: string): number[] => parseIpv6(address)!.flatMap(group => [group >> 8, group & 255])

export interface PacketOptions {
  source?: string
  target?: string
  hopLimit?: number
  /** Of the frame. */
  mac?: number[]
  /** Extension headers, and the number of the first of them. */
  headers?: number[]
  first?: number
  change?: (packet: Buffer) => void
}

export class RawPeer6 {
  readonly device: SimulatedDevice
  readonly ip: string
  readonly target: string
  readonly targetMac: number[]
  /** Frames of IPv6 that arrived, oldest first. */
  readonly frames: Buffer[] = []
  /** Whether questions for `ip` are answered. */
  answers = true

  constructor(wire: Wire, ip: string, target: string, targetMac: string, mac = '02:00:00:00:00:99') {
    this.device = wire.device(mac)
    this.ip = ip
    this.target = target
    this.targetMac = targetMac.split(':').map(octet => parseInt(octet, 16))
    this.device.onReceive = (frame, length) => {
      const bytes = Buffer.from(frame.u8.slice(0, length))
      if (bytes.readUInt16BE(12) !== 0x86dd) return
      this.frames.push(bytes)
      const asksForUs = bytes[20] === 58 && bytes[54] === 135 && bytes.subarray(62, 78).equals(Buffer.from(octets6(ip)))
      const isProbe = bytes.subarray(22, 38).every(byte => byte === 0)
      if (asksForUs && this.answers && !isProbe) this.advertise()
    }
  }

  /** Messages of ICMPv6 of a type that arrived, and forgets all frames. */
  icmps(type: number): Buffer[] {
    return this.frames.splice(0).filter(frame => frame[20] === 58 && frame[54] === type)
  }

  /** Flags of TCP segments that arrived, and forgets all frames. */
  tcps(): Buffer[] {
    return this.frames.splice(0).filter(frame => frame[20] === 6)
  }

  sendFrame(bytes: Uint8Array): void {
    const frame = this.device.reserve()!
    frame.u8.set(bytes)
    this.device.send(frame, bytes.length)
  }

  ip6(protocol: number, payload: Uint8Array, options: PacketOptions = {}): void {
    const { source = this.ip, target = this.target, hopLimit = 64, mac = this.targetMac, headers = [], first = protocol, change } = options
    const length = headers.length + payload.length
    const packet = Buffer.from([
      0x60,
      0,
      0,
      0,
      length >> 8,
      length & 255,
      first,
      hopLimit,
      ...octets6(source),
      ...octets6(target),
      ...headers,
      ...payload,
    ])
    change?.(packet)
    this.sendFrame(Buffer.concat([new Uint8Array([...mac, ...this.device.mac, 0x86, 0xdd]), packet]))
  }

  icmp(message: number[], options: PacketOptions & { checksum?: boolean } = {}): void {
    const bytes = Buffer.from(message)
    bytes.writeUInt16LE(this.sum(58, bytes, options), 2)
    if (options.checksum === false) bytes[2] ^= 1
    this.ip6(58, bytes, options)
  }

  /** To the target's group, as a question for its MAC address is asked. */
  solicit(options: PacketOptions & { target?: string; wanted?: string; option?: number[] } = {}): void {
    const { wanted = this.target, option = [1, 1, ...this.device.mac] } = options
    const last = octets6(wanted).slice(13)
    const group = `ff02::1:ff${hex(last[0])}:${hex(last[1])}${hex(last[2])}`
    this.icmp([135, 0, 0, 0, 0, 0, 0, 0, ...octets6(wanted), ...option], {
      hopLimit: 255,
      target: group,
      mac: [0x33, 0x33, 0xff, ...last],
      ...options,
    })
  }

  advertise({
    flags = 0x60,
    of = this.ip,
    mac = [...this.device.mac],
    ...options
  }: Omit<PacketOptions, 'mac'> & { flags?: number; of?: string; mac?: number[] } = {}): void {
    this.icmp([136, 0, 0, 0, flags, 0, 0, 0, ...octets6(of), 2, 1, ...mac], { hopLimit: 255, ...options })
  }

  udp(sourcePort: number, destinationPort: number, payload: Uint8Array, options: PacketOptions = {}): void {
    const bytes = Buffer.alloc(8 + payload.length)
    bytes.writeUInt16BE(sourcePort, 0)
    bytes.writeUInt16BE(destinationPort, 2)
    bytes.writeUInt16BE(bytes.length, 4)
    bytes.set(payload, 8)
    bytes.writeUInt16LE(this.sum(17, bytes, options), 6)
    this.ip6(17, bytes, options)
  }

  tcp(
    { sourcePort = 5000, destinationPort = 80, seq = 0, ack = 0, flags = 0x10, payload = new Uint8Array(0) },
    options: PacketOptions = {},
  ): void {
    const bytes = Buffer.alloc(20 + payload.length)
    bytes.writeUInt16BE(sourcePort, 0)
    bytes.writeUInt16BE(destinationPort, 2)
    bytes.writeUInt32BE(seq >>> 0, 4)
    bytes.writeUInt32BE(ack >>> 0, 8)
    bytes[12] = 0x50
    bytes[13] = flags
    bytes.writeUInt16BE(65535, 14)
    bytes.set(payload, 20)
    bytes.writeUInt16LE(this.sum(6, bytes, options), 16)
    this.ip6(6, bytes, options)
  }

  /** The checksum of a message with a field of zero for it, as a little-endian word. */
  sum(protocol: number, data: Uint8Array, { source = this.ip, target = this.target }: PacketOptions = {}): number {
    const pseudo = Buffer.from([...octets6(source), ...octets6(target), 0, 0, data.length >> 8, data.length & 255, 0, 0, 0, protocol])
    return ~abi.checksum(data, 0, data.length, abi.checksum(pseudo, 0, 40, 0)) & 0xffff
  }
}

const hex = (byte: number): string => byte.toString(16).padStart(2, '0')
