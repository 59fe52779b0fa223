/** Datagrams that arrive, and whom they are given to. */
import { type Frame, LENGTH, OFFSET, PORTS } from '@xen-ts/runtime/machine'
import type { Interface, PacketReceiver } from '../ip/interface.ts'
import type { Route } from '../ip/route.ts'
import { swap16 } from '../wire/ethernet.ts'
import { PROTOCOL_UDP, UDP_BYTES, UDP_CHECKSUM, UDP_DESTINATION, UDP_LENGTH, UDP_SOURCE } from '../wire/udp.ts'

/**
 * Receives a datagram: `length` bytes of `bytes` from `offset` on, valid during the call only. `from` has the sender's address (`peer`),
 * and `send` takes it for the answer.
 */
export type UdpReceiver = (bytes: Uint8Array, offset: number, length: number, from: Route, remotePort: number) => void

export class UdpInput implements PacketReceiver {
  readonly ip: Interface
  /** By their ports. */
  protected readonly receivers = new Map<number, UdpReceiver>()
  /** Ports whose receivers want broadcasts. */
  protected readonly broadcast = new Set<number>()

  constructor(ip: Interface) {
    this.ip = ip
  }

  receive(frame: Frame, at: number, length: number, route: Route): void {
    const u8 = frame.u8
    const u16 = frame.u16
    const checked = frame.checked
    const abi = this.ip.abi
    const counters = this.ip.counters
    const word = at >>> 1
    const size = length < UDP_BYTES ? 0 : swap16(u16[word + UDP_LENGTH])
    if (size < UDP_BYTES || size > length) {
      counters.malformed++
      return
    }
    const sum = route.sum + (PROTOCOL_UDP << 8) + swap16(size)
    if (checked !== true && (u16[word + UDP_CHECKSUM] !== 0 || route.family === 6) && abi.checksum(u8, at, size, sum) !== 0xffff) {
      counters.badChecksum++
      return
    }
    if (u16[word + UDP_SOURCE] === 0) {
      counters.udpNoSource++
      return
    }
    const port = swap16(u16[word + UDP_DESTINATION])
    const receiver = this.receivers.get(port)
    const isForMany = (u16[0] & 1) !== 0 // the frame was
    if (receiver === undefined || (isForMany && !this.broadcast.has(port))) {
      counters.udpNoPort++
      route.unreachable(frame, 'port')
      return
    }
    receiver(u8, at + UDP_BYTES, size - UDP_BYTES, route, swap16(u16[word + UDP_SOURCE]))
  }

  /** What the ABI's packetIn has read and found good; the frame was for us alone. */
  arrived(frame: Frame, record: Int32Array, route: Route): void {
    const ports = record[PORTS]
    const receiver = this.receivers.get(ports >>> 16)
    if (receiver === undefined) {
      this.ip.counters.udpNoPort++
      route.unreachable(frame, 'port')
    } else {
      receiver(frame.u8, record[OFFSET], record[LENGTH], route, ports & 0xffff)
    }
  }
}
