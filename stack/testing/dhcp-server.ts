/** For tests: a DHCP server in memory, on whatever carries frames; and hosts that answer ARP. */
import { ADDRESS, type AnswerSpec, type FakeDhcpServer, goodServer, writeAnswer } from '../dhcp/testing.ts'
import { addressBytes, type DhcpMessage, readDhcp } from '../wire/dhcp.ts'
import { type Ipv4, parseIpv4 } from '../wire/ipv4-address.ts'

export const SERVER_MAC = Uint8Array.of(0x02, 0, 0, 0, 0, 0x01)
const ALL = new Uint8Array(6).fill(0xff)

const bytesOf = (text: string): Uint8Array => addressBytes(parseIpv4(text) as Ipv4)
const be16 = (value: number): [number, number] => [value >>> 8, value & 255]
const text = (bytes: Uint8Array): string => [...bytes].join('.')

/** One's complement sum of 16-bit words (RFC 1071), inverted. */
function checksum(...parts: Uint8Array[]): [number, number] {
  let sum = 0
  for (const part of parts) for (let i = 0; i < part.length; i += 2) sum += (part[i] << 8) | (part[i + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return be16(~sum & 0xffff)
}

function udpFrame(source: string, destination: string, mac: Uint8Array, message: Uint8Array): Uint8Array {
  const addresses = Uint8Array.of(...bytesOf(source), ...bytesOf(destination))
  const size = be16(8 + message.length)
  const ip = Uint8Array.of(0x45, 0, ...be16(28 + message.length), 0, 0, 0, 0, 64, 17, 0, 0, ...addresses)
  ip.set(checksum(ip), 10)
  const udp = Uint8Array.of(...be16(67), ...be16(68), ...size, 0, 0, ...message)
  udp.set(checksum(addresses, Uint8Array.of(0, 17, ...size), udp), 6)
  return Uint8Array.of(...mac, ...SERVER_MAC, 8, 0, ...ip, ...udp)
}

export interface Seen {
  readonly message: DhcpMessage
  /** Addresses of the packet. */
  readonly from: string
  readonly to: string
}

export class DhcpServerDouble {
  readonly address: string
  /** What clients said. */
  readonly seen: Seen[] = []
  /** Probes of addresses (ARP from 0.0.0.0), and announcements. */
  readonly probed: string[] = []
  readonly announced: string[] = []
  /** Addresses that hosts have; the server's own is one. */
  readonly taken: Set<string>
  server: FakeDhcpServer
  silent = false
  /** Answers go to the address that is leased, whatever the client asks for: some servers do so. */
  unicast = false
  readonly #send: (frame: Uint8Array) => void

  /** @param send to the client's side */
  constructor(send: (frame: Uint8Array) => void, spec: AnswerSpec = {}, address = '10.0.0.1') {
    this.#send = send
    this.server = goodServer(spec)
    this.address = address
    this.taken = new Set([address])
  }

  get types(): string[] {
    return this.seen.map(({ message }) => message.type)
  }

  /** A frame came from the client's side. */
  receive(frame: Uint8Array): void {
    if (frame[12] !== 8) return
    if (frame[13] === 6) this.#arp(frame)
    else if (frame[13] === 0 && frame[23] === 17 && frame[36] === 0 && frame[37] === 67) this.#udp(frame)
  }

  #arp(frame: Uint8Array): void {
    if (frame[21] !== 1) return
    const [sender, target] = [text(frame.subarray(28, 32)), text(frame.subarray(38, 42))]
    if (sender === '0.0.0.0') this.probed.push(target)
    if (sender === target) this.announced.push(target)
    if (this.silent || !this.taken.has(target) || sender === target) return
    const asker = frame.subarray(22, 28)
    const head = [...asker, ...SERVER_MAC, 8, 6, 0, 1, 8, 0, 6, 4, 0, 2]
    this.#send(Uint8Array.of(...head, ...SERVER_MAC, ...frame.subarray(38, 42), ...asker, ...frame.subarray(28, 32)))
  }

  #udp(frame: Uint8Array): void {
    const message = readDhcp(frame.subarray(42, 14 + ((frame[16] << 8) | frame[17])))
    const seen = { message, from: text(frame.subarray(26, 30)), to: text(frame.subarray(30, 34)) }
    this.seen.push(seen)
    if (this.silent) return
    for (const answer of this.server({ ...seen, at: 0, bytes: frame })) {
      // RFC 2131 section 4.1: to all when the client asks for that, else to the address that it has or gets.
      const broadcast = !this.unicast && (frame[42 + 10] & 0x80) !== 0
      const to = broadcast ? '255.255.255.255' : this.unicast ? (answer.address ?? ADDRESS) : seen.from
      this.#send(udpFrame(this.address, to, broadcast ? ALL : message.mac, writeAnswer(message, answer)))
    }
  }
}
