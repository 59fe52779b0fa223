/** UDP (RFC 768): enough for DNS and the like. Datagrams that do not fit one packet are refused; there is no fragmentation. */
import type { Frame } from '@xen-ts/runtime/machine'
import { formatIpv4, type Ipv4 } from '../address.ts'
import type { Interface } from '../ip/interface.ts'
import { swap16 } from '../wire/ethernet.ts'
import { IP_BYTES, IP_PAYLOAD, PROTOCOL_UDP, pseudoSum } from '../wire/ipv4.ts'
import { UDP_BYTES, UDP_CHECKSUM, UDP_DESTINATION, UDP_LENGTH, UDP_SOURCE } from '../wire/udp.ts'

/** Receives a datagram: `length` bytes of `bytes` from `offset` on, valid during the call only. */
export type UdpReceiver = (bytes: Uint8Array, offset: number, length: number, remoteIp: Ipv4, remotePort: number) => void

export class Udp {
  readonly #ip: Interface
  readonly #receivers = new Map<number, UdpReceiver>()

  constructor(ip: Interface) {
    this.#ip = ip
  }

  /** Receives what is sent to `port`. Returns a function that ends it. Throws RangeError when the port is taken or not 1..65535. */
  bind(port: number, receiver: UdpReceiver): () => void {
    if (!Number.isInteger(port) || port < 1 || port > 65535) throw new RangeError(`UDP port ${port} does not exist: use 1 to 65535`)
    if (this.#receivers.has(port)) throw new RangeError(`UDP port ${port} of this stack is in use already: choose another`)
    this.#receivers.set(port, receiver)
    return () => this.#receivers.delete(port)
  }

  /** Sends one datagram. False when no frame was free: it is lost then, as datagrams may be. */
  send(localPort: number, remoteIp: Ipv4, remotePort: number, payload: Uint8Array): boolean {
    const ip = this.#ip
    const length = UDP_BYTES + payload.length
    if (IP_BYTES + length > ip.device.mtu) {
      const most = ip.device.mtu - IP_BYTES - UDP_BYTES
      throw new RangeError(`a datagram of ${payload.length} bytes to ${formatIpv4(remoteIp)} is too big: at most ${most} fit`)
    }
    const frame = ip.reserve()
    if (frame === undefined) return false
    const { u8, u16 } = frame
    const word = IP_PAYLOAD >>> 1
    u16[word + UDP_SOURCE] = swap16(localPort)
    u16[word + UDP_DESTINATION] = swap16(remotePort)
    u16[word + UDP_LENGTH] = swap16(length)
    u16[word + UDP_CHECKSUM] = 0
    ip.abi.copy(u8, IP_PAYLOAD + UDP_BYTES, payload, 0, payload.length)
    const sum = ~ip.abi.checksum(u8, IP_PAYLOAD, length, pseudoSum(ip.address, remoteIp, PROTOCOL_UDP) + swap16(length)) & 0xffff
    u16[word + UDP_CHECKSUM] = sum === 0 ? 0xffff : sum // 0 would mean: no checksum
    ip.send(frame, remoteIp, PROTOCOL_UDP, length)
    return true
  }

  receive({ u8, u16, checked }: Frame, at: number, length: number, remoteIp: Ipv4): void {
    const { abi, address, counters } = this.#ip
    const word = at >>> 1
    const size = length < UDP_BYTES ? 0 : swap16(u16[word + UDP_LENGTH])
    if (size < UDP_BYTES || size > length) {
      counters.malformed++
      return
    }
    const sum = pseudoSum(remoteIp, address, PROTOCOL_UDP) + swap16(size)
    if (checked !== true && u16[word + UDP_CHECKSUM] !== 0 && abi.checksum(u8, at, size, sum) !== 0xffff) {
      counters.badChecksum++
      return
    }
    const receiver = this.#receivers.get(swap16(u16[word + UDP_DESTINATION]))
    if (receiver === undefined) {
      counters.udpNoPort++
      return
    }
    receiver(u8, at + UDP_BYTES, size - UDP_BYTES, remoteIp, swap16(u16[word + UDP_SOURCE]))
  }
}
