/** A device without a network, and a peer that writes frames of TCP and UDP into it, by either family. */
import type { EthernetDevice, Frame } from '@xen-ts/runtime/machine'
import { nativeAbi } from './machine.ts'

export const [FIN, SYN, PSH, ACK] = [1, 2, 8, 16]
const [TCP, UDP, ICMPV6] = [6, 17, 58]
const MAC = [0, 0x16, 0x3e, 1, 2, 3]
const PEER_MAC = [2, 0, 0, 0, 0, 9]
const PEER6 = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
const OWN6 = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]

export const config = { address: '10.0.0.2', prefix: 24, ipv6: { address: 'fd00::2', prefix: 128, gateway: 'fd00::1' } }

export class Wire {
  readonly device: EthernetDevice
  /** Where the header of the transport begins. */
  readonly header: number
  /** Bytes of a segment that fills a frame. */
  readonly segment: number
  readonly #v6: boolean
  readonly #frame = newFrame()
  readonly #sent: Frame[] = []
  readonly #free: Frame[] = []
  #size = -1
  sequence = 1000
  acknowledgment = 0

  constructor(family: 4 | 6) {
    this.#v6 = family === 6
    this.header = this.#v6 ? 54 : 34
    this.segment = this.#v6 ? 1440 : 1460
    const [sent, free] = [this.#sent, this.#free]
    this.device = {
      mac: new Uint8Array(MAC),
      mtu: 1500,
      checksums: true,
      checksums6: true,
      onReceive: undefined,
      onWritable: undefined,
      onIdle: undefined,
      reserve: () => free.pop() ?? newFrame(),
      largest: () => 0,
      send(frame: Frame) {
        sent.push(frame)
      },
      discard(frame: Frame) {
        free.push(frame)
      },
      close: async () => {},
    } as unknown as EthernetDevice
  }

  get answered(): boolean {
    return this.#sent.length > 0
  }

  /** Tells the stack where the peer is, as ARP and NDP do, and sets up the headers, which are written once: what is counted is the stack's. */
  async begin(protocol: 'tcp' | 'udp'): Promise<void> {
    await settle()
    const { u8, u16 } = this.#frame
    if (this.#v6) {
      this.#headers(ICMPV6)
      u8[21] = 255
      this.#length(32)
      u8.set([135, 0, 0, 0, 0, 0, 0, 0, ...OWN6, 1, 1, ...PEER_MAC], this.header)
      const pseudo = nativeAbi.checksum(u8, 22, 32, 0) + (ICMPV6 << 8) + (32 << 8)
      u16[(this.header + 2) >> 1] = ~nativeAbi.checksum(u8, this.header, 32, pseudo) & 0xffff
      this.#receive(this.header + 32)
    } else {
      u8.set([...MAC, ...PEER_MAC, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, ...PEER_MAC, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2])
      this.#receive(42)
    }
    await settle()
    this.#sent.length = 0
    this.#size = -1
    this.#headers(protocol === 'tcp' ? TCP : UDP)
  }

  /** Bytes behind the header of TCP, which stay there for all segments that follow. */
  fill(bytes: Uint8Array): void {
    this.#frame.u8.set(bytes, this.header + 20)
  }

  /** @param isLast of its batch: the device says so */
  tcp(port: number, flags: number, length = 0, isLast = true, from = 12345): void {
    const at = this.header
    const { u8 } = this.#frame
    this.#be16(at, from)
    this.#be16(at + 2, port)
    this.#be32(at + 4, this.sequence)
    this.#be32(at + 8, this.acknowledgment)
    u8[at + 12] = 0x50
    u8[at + 13] = flags
    this.#be16(at + 14, 65_000)
    this.#length(20 + length)
    this.sequence += length
    this.#receive(at + 20 + length, isLast)
  }

  udp(port: number, length: number): void {
    this.#be16(this.header, 5000)
    this.#be16(this.header + 2, port)
    this.#be16(this.header + 4, 8 + length)
    this.#length(8 + length)
    this.#receive(this.header + 8 + length)
  }

  async connect(port: number, from?: number): Promise<void> {
    this.tcp(port, SYN, 0, true, from)
    this.sequence++
    await settle()
    const answer = this.#sent[0]?.u8
    if (answer === undefined || (answer[this.header + 13]! & (SYN | ACK)) !== (SYN | ACK))
      throw new Error('a SYN was not answered by a SYN-ACK')
    this.acknowledgment =
      (((answer[this.header + 4]! << 24) | (answer[this.header + 5]! << 16) | (answer[this.header + 6]! << 8) | answer[this.header + 7]!) +
        1) >>>
      0
    this.take()
    this.tcp(port, ACK, 0, true, from)
  }

  /** Gives back the frames that were sent. Returns how many bytes of TCP were in them. */
  take(): number {
    let bytes = 0
    for (const frame of this.#sent) {
      const { u8 } = frame
      const size = this.#v6 ? (u8[18]! << 8) | u8[19]! : ((u8[16]! << 8) | u8[17]!) - 20
      bytes += size - (u8[this.header + 12]! >> 4) * 4
      this.#free.push(frame)
    }
    this.#sent.length = 0
    return bytes
  }

  /** Gives back the frames that were sent, whatever they are. */
  drop(): void {
    for (const frame of this.#sent) this.#free.push(frame)
    this.#sent.length = 0
  }

  #receive(length: number, isLast = true): void {
    this.device.onReceive!(this.#frame, length)
    if (isLast) this.device.onIdle?.()
  }

  #headers(protocol: number): void {
    const { u8 } = this.#frame
    u8.set([...MAC, ...PEER_MAC])
    if (this.#v6) u8.set([0x86, 0xdd, 0x60, 0, 0, 0, 0, 0, protocol, 64, ...PEER6, ...OWN6], 12)
    else u8.set([8, 0, 0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2], 12)
    u8.fill(0, this.header, this.header + 20)
  }

  /** Of what IP carries. */
  #length(size: number): void {
    if (size === this.#size) return
    this.#size = size
    const { u8, u16 } = this.#frame
    if (this.#v6) return this.#be16(18, size)
    this.#be16(16, 20 + size)
    u16[12] = 0
    u16[12] = ~nativeAbi.checksum(u8, 14, 20, 0) & 0xffff
  }

  #be16(at: number, value: number): void {
    const { u8 } = this.#frame
    u8[at] = value >> 8
    u8[at + 1] = value & 255
  }

  #be32(at: number, value: number): void {
    this.#be16(at, value >>> 16)
    this.#be16(at + 2, value & 0xffff)
  }
}

/** Lets promise jobs run until nothing is left of what a frame began. */
export async function settle(turns = 30): Promise<void> {
  for (let i = 0; i < turns; i++) await undefined
}

function newFrame(): Frame {
  const buffer = new ArrayBuffer(2048)
  return { u8: new Uint8Array(buffer), u16: new Uint16Array(buffer), checked: true } as Frame
}
