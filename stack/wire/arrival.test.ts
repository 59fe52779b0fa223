/** What the kernel's packetIn takes is what this folder's own functions find good, and read in the same way. */
import { LENGTH, OFFSET, PORTS, SOURCE } from '@xen-ts/runtime/machine'
import test from 'ava'
import { Arrival } from '../ip/arrival.ts'
import { seededRandom, testAbi } from '../testing/abi.ts'
import { ETH_BYTES, swap16 } from './ethernet.ts'
import { checkIpv4, IP_BYTES, IP_DESTINATION, IP_PAYLOAD, IP_SOURCE, ipLength, ipProtocol } from './ipv4.ts'
import { IP6_DESTINATION, IP6_NEXT, IP6_PAYLOAD, IP6_SOURCE, IP6_VERSION, ip6Length } from './ipv6.ts'
import { PROTOCOL_TCP, parseTcp, Segment, SYN, takeArrival } from './tcp.ts'
import { PROTOCOL_UDP } from './udp.ts'

const abi = testAbi(1, () => 0)
const LONGEST = 200

interface Packet {
  readonly u8: Uint8Array
  readonly u16: Uint16Array
  readonly length: number
  readonly arrival: Arrival
}

/** Somebody's packet to us. */
function packet(roll: (limit: number) => number, ipv6: boolean, protocol: number): Packet {
  const u16 = new Uint16Array(160)
  const u8 = new Uint8Array(u16.buffer)
  for (let i = 0; i < u8.length; i++) u8[i] = roll(256)
  const at = ipv6 ? IP6_PAYLOAD : IP_PAYLOAD
  const isUdp = protocol === PROTOCOL_UDP
  const header = isUdp ? 8 : roll(2) === 0 ? 32 : 20
  const size = header + roll(100)
  u16[6] = ipv6 ? 0xdd86 : 0x0008
  if (ipv6) {
    u8[14] = 0x60
    u16[9] = swap16(size)
    u8[20] = protocol
  } else {
    u8.set([0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, protocol, 0, 0], 14)
    u16[8] = swap16(size + IP_BYTES)
    u16[12] = ~abi.checksum(u8, ETH_BYTES, IP_BYTES, 0)
  }
  if (isUdp) {
    u16[(at >>> 1) + 2] = swap16(size)
  } else {
    u8[at + 12] = header << 2
    u8[at + 13] = 0x10 | (roll(4) === 0 ? roll(256) & ~SYN : 0)
    if (header === 32) u8.set([1, 1, 8, 10], at + 20)
  }
  const arrival = new Arrival()
  arrival.mac = u16.subarray(0, 3)
  arrival.longest = LONGEST
  if (ipv6)
    arrival.path6 = {
      peerIp: u16.subarray(IP6_SOURCE, IP6_SOURCE + 8),
      own: { address: u16.subarray(IP6_DESTINATION, IP6_DESTINATION + 8) },
    }
  else arrival.ipv4 = u16[IP_DESTINATION] | (u16[IP_DESTINATION + 1] << 16)
  complete(u8, u16, ipv6, at, size, protocol)
  return { u8, u16, length: at + size + roll(8), arrival }
}

const pseudo = (u8: Uint8Array, ipv6: boolean, protocol: number, size: number): number =>
  abi.checksum(u8, ipv6 ? 22 : 26, ipv6 ? 32 : 8, (protocol << 8) + swap16(size))

function complete(u8: Uint8Array, u16: Uint16Array, ipv6: boolean, at: number, size: number, protocol: number): void {
  const word = (at + (protocol === PROTOCOL_UDP ? 6 : 16)) >>> 1
  u16[word] = 0
  u16[word] = ~abi.checksum(u8, at, size, pseudo(u8, ipv6, protocol, size))
}

/** Whether the stack would take it for the usual packet, by what interface.ts, ipv4.ts, ipv6.ts, tcp.ts and udp.ts do. */
function expected({ u8, u16, length }: Packet, before: Uint16Array, ipv6: boolean, segment: Segment): number {
  if (u16[0] !== before[0] || u16[1] !== before[1] || u16[2] !== before[2] || u16[6] !== before[6]) return 0
  const from = ipv6 ? IP6_SOURCE : IP_DESTINATION
  for (let i = from; i < (ipv6 ? from + 16 : from + 2); i++) if (u16[i] !== before[i]) return 0
  let size = 0
  if (ipv6) {
    if ((u16[IP6_VERSION] & 0xf0) !== 0x60 || (size = ip6Length(u16)) === 0 || size > length - IP6_PAYLOAD) return 0
  } else {
    if (checkIpv4(abi, u8, u16, length) !== IP_BYTES) return 0
    size = ipLength(u16) - IP_BYTES
  }
  const protocol = ipv6 ? u16[IP6_NEXT] & 0xff : ipProtocol(u16)
  const at = ipv6 ? IP6_PAYLOAD : IP_PAYLOAD
  const word = at >>> 1
  if (protocol === PROTOCOL_UDP) {
    const bytes = size < 8 ? 0 : swap16(u16[word + 2])
    if (length > LONGEST || bytes < 8 || bytes > size || u16[word] === 0) return 0
    const isGood = (u16[word + 3] === 0 && !ipv6) || abi.checksum(u8, at, bytes, pseudo(u8, ipv6, protocol, bytes)) === 0xffff
    return isGood ? protocol : 0
  }
  if (protocol !== PROTOCOL_TCP || !parseTcp(u8, u16, at, size, segment) || (segment.flags & SYN) !== 0) return 0
  const header = (u8[at + 12] >>> 4) * 4
  const isUsual = header === 20 || (header === 32 && u16[word + 10] === 0x0101 && u16[word + 11] === 0x0a08)
  return isUsual && abi.checksum(u8, at, size, pseudo(u8, ipv6, protocol, size)) === 0xffff ? protocol : 0
}

for (const ipv6 of [false, true])
  for (const protocol of [PROTOCOL_TCP, PROTOCOL_UDP])
    test(`IPv${ipv6 ? 6 : 4}, protocol ${protocol}: taken is what the stack finds good, whole or changed, and read in the same way`, t => {
      const random = seededRandom(protocol)
      const roll = (limit: number): number => Math.floor(random() * limit)
      const both = [new Segment(), new Segment()] as const
      const count = { taken: 0, refused: 0 }
      for (let i = 0; i < 1500; i++) {
        const one = packet(roll, ipv6, protocol)
        const before = one.u16.slice()
        const at = ipv6 ? IP6_PAYLOAD : IP_PAYLOAD
        const size = (ipv6 ? ip6Length(one.u16) : ipLength(one.u16) - IP_BYTES) | 0
        let { length } = one
        const change = roll(6)
        // A bit anywhere; or a field of the headers, and all sums right again; or the end is cut off, or the packet shorter than its frame.
        if (change === 1) one.u8[roll(at + 20)] ^= 1 << roll(8)
        if (change === 2 || change === 3) {
          const where = protocol === PROTOCOL_UDP ? roll(8) : [0, 1, 12, 12, 13, 13, 14, 20, 21, 22, 23][roll(11)]
          one.u8[at + where] = roll(3) === 0 ? 0 : roll(256)
          if (where === 0 && roll(2) === 0) one.u16[at >>> 1] = 0
          complete(one.u8, one.u16, ipv6, at, size, protocol)
          if (protocol === PROTOCOL_UDP && roll(3) === 0) one.u16[(at >>> 1) + 3] = 0
        }
        if (change === 4) length = roll(length + 1)
        if (change === 5) {
          const less = roll(40)
          one.u16[ipv6 ? 9 : 8] = swap16(ipv6 ? less : less + IP_BYTES)
          one.u16[12] = ipv6 ? one.u16[12] : 0
          if (!ipv6) one.u16[12] = ~abi.checksum(one.u8, ETH_BYTES, IP_BYTES, 0)
          complete(one.u8, one.u16, ipv6, at, less, protocol)
        }
        const wanted = expected({ ...one, length }, before, ipv6, both[0])
        const got = abi.packetIn(one.u8, length, 0, one.arrival.bytes)
        const { words } = one.arrival
        t.is(got, wanted, `packet ${i}, change ${change}: ${one.u8.subarray(0, length)}`)
        if (got === 0) {
          count.refused++
          continue
        }
        count.taken++
        t.is(words[SOURCE], ipv6 ? 0 : one.u16[IP_SOURCE] | (one.u16[IP_SOURCE + 1] << 16))
        if (got === PROTOCOL_UDP) {
          t.deepEqual(
            [words[PORTS] >>> 16, words[PORTS] & 0xffff, words[OFFSET], words[LENGTH]],
            [swap16(one.u16[(at >>> 1) + 1]), swap16(one.u16[at >>> 1]), at + 8, swap16(one.u16[(at >>> 1) + 2]) - 8],
          )
        } else {
          takeArrival(one.u8, words, both[1])
          const was = { ...both[0], mss: 0, scale: 0, sack: false }
          const is = { ...both[1], mss: 0, scale: 0, sack: false }
          if (!both[0].stamped) Object.assign(is, { stampHigh: was.stampHigh, echoAt: was.echoAt }) // which nobody reads then
          t.deepEqual(is, was)
        }
      }
      t.true(count.taken > 250 && count.refused > 250, JSON.stringify(count))
    })
