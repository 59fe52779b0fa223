/** Headers that were written are read again; what is not right is refused, and nothing behind the end is read. */
import { runs } from '@xen-ts/boot/fuzz'
import test from 'ava'
import fc from 'fast-check'
import { correctChecksums } from '../hostile/checksums.ts'
import { testAbi } from '../testing/abi.ts'
import { ARP_FRAME_BYTES, ARP_REPLY, ARP_REQUEST, arpOperation, arpSenderIp, arpSenderMac, arpTargetIp, writeArp } from './arp.ts'
import { fold } from './checksum.ts'
import { ETH_TYPE, formatMac, isSame, isTo, isUnicast, macWords, swap16, TYPE_IPV4, writeEthernet } from './ethernet.ts'
import { addressSum, checkIpv4, IP_CHECKSUM, IP_LENGTH, ipLength, ipProtocol, writeIpv4 } from './ipv4.ts'
import { formatIpv4, isWholeNetwork, maskBits, parseIpv4, prefixMask } from './ipv4-address.ts'
import { parseTcp, Segment, SYN, TCP_BYTES, writeSack, writeSynOptions, writeTcp } from './tcp.ts'

const abi = testAbi(1, () => 0)
const ROOM = 1514

function frame(bytes: Uint8Array = new Uint8Array(0), at = 0): { u8: Uint8Array; u16: Uint16Array } {
  const u8 = new Uint8Array(ROOM).fill(0xa5)
  u8.set(bytes, at)
  return { u8, u16: new Uint16Array(u8.buffer) }
}

const macs = fc.uint8Array({ minLength: 6, maxLength: 6 })
const addresses = fc.integer()
const ports = fc.nat(0xffff)

test('Ethernet: what was written is read, and text and words of a MAC address are the same', t => {
  fc.assert(
    fc.property(macs, macs, fc.nat(0xffff), (to, from, type) => {
      const { u8, u16 } = frame()
      writeEthernet(u16, macWords(to), macWords(from), type)
      t.deepEqual(u8.slice(0, 14), Uint8Array.of(...to, ...from, type & 255, type >>> 8))
      t.true(isTo(u16, macWords(to)) && u16[ETH_TYPE] === type)
      t.is(formatMac(macWords(to)), Array.from(to, octet => octet.toString(16).padStart(2, '0')).join(':'))
      t.is(
        isSame(macWords(to), macWords(from)),
        to.every((octet, i) => octet === from[i]),
      )
      t.is(isUnicast(macWords(to)), (to[0] & 1) === 0 && to.some(octet => octet !== 0))
      t.is(swap16(swap16(type)), type)
    }),
    runs(),
  )
})

test('ARP: what was written is read', t => {
  fc.assert(
    fc.property(
      fc.constantFrom(ARP_REQUEST, ARP_REPLY),
      macs,
      addresses,
      fc.option(macs, { nil: undefined }),
      addresses,
      (operation, mac, ip, to, target) => {
        const { u8, u16 } = frame()
        writeArp(u16, operation, macWords(mac), ip, to && macWords(to), target)
        const numbers = [arpOperation(u16, ARP_FRAME_BYTES), arpSenderIp(u16), arpTargetIp(u16)]
        t.deepEqual(numbers, [operation, ip, target])
        t.deepEqual(arpSenderMac(u16), macWords(mac))
        t.is(u8[ARP_FRAME_BYTES], 0xa5, 'nothing is written behind it')
        t.is(arpOperation(u16, ARP_FRAME_BYTES - 1), 0)
      },
    ),
    runs(),
  )
})

test('ARP: of any other hardware, protocol, length or operation it is none', t => {
  fc.assert(
    fc.property(fc.integer({ min: 14, max: 21 }), fc.nat(255), (at, value) => {
      const { u8, u16 } = frame()
      writeArp(u16, ARP_REQUEST, macWords(new Uint8Array(6)), 1, undefined, 2)
      const before = u8[at]
      u8[at] = value
      const operation = arpOperation(u16, ARP_FRAME_BYTES)
      t.is(operation, value === before ? ARP_REQUEST : at === 21 && value === 2 ? ARP_REPLY : 0)
    }),
    runs(),
  )
})

test('IPv4: a header that was written is taken, with its length, protocol and sum', t => {
  fc.assert(
    fc.property(addresses, addresses, fc.nat(255), fc.nat(1480), (source, destination, protocol, payload) => {
      const { u8, u16 } = frame()
      writeEthernet(u16, macWords(new Uint8Array(6)), macWords(new Uint8Array(6)), TYPE_IPV4)
      writeIpv4(u16, source, destination, protocol)
      u16[IP_LENGTH] = swap16(20 + payload)
      u16[IP_CHECKSUM] = ~fold((~u16[IP_CHECKSUM] & 0xffff) + u16[IP_LENGTH])
      t.is(checkIpv4(abi, u8, u16, 34 + payload), 20)
      t.deepEqual([ipLength(u16), ipProtocol(u16)], [20 + payload, protocol])
      const whole = u8.slice(0, 34)
      correctChecksums(whole)
      t.deepEqual(whole.slice(24, 26), u8.slice(24, 26), 'as somebody else computes it')
      const words = [source & 0xffff, source >>> 16, destination & 0xffff, destination >>> 16]
      t.is(addressSum(source, destination) % 0xffff, words.reduce((sum, word) => sum + word) % 0xffff)
      if (payload > 0) t.true(checkIpv4(abi, u8, u16, 33 + payload) < 0, 'a frame that ends before its packet')
    }),
    runs(),
  )
})

/** Options one after the other, three of four as they should be: kind, length, data. */
const optionBytes = (right: fc.Arbitrary<readonly number[]>, kinds: fc.Arbitrary<number>): fc.Arbitrary<Uint8Array> => {
  const sizes = fc.constantFrom(0, 1, 2, 3, 4, 10, 40, 255)
  const wrong = fc.tuple(kinds, sizes, fc.uint8Array({ maxLength: 4 })).map(([kind, size, data]) => [kind, size, ...data])
  const one = fc.oneof({ weight: 3, arbitrary: right }, { weight: 1, arbitrary: wrong })
  return fc.array(one, { maxLength: 12 }).map(list => Uint8Array.from(list.flat()))
}

test('IPv4: whatever a header says, what is taken lies in the frame, and asks for no route', t => {
  const right = fc.constantFrom([1], [1, 1], [7, 7, 4, 0, 0, 0, 0], [68, 8, 5, 0, 0, 0, 0, 0], [148, 4, 0, 0], [131, 7, 4, 1, 2, 3, 4])
  const given = optionBytes(right, fc.constantFrom(0, 7, 68, 131, 137))
  const lengths = fc.record({ words: fc.integer({ min: 5, max: 15 }), total: fc.nat(160), length: fc.nat(200) })
  const changes = fc.array(fc.tuple(fc.integer({ min: 14, max: 33 }), fc.nat(255)), { maxLength: 2 })
  fc.assert(
    fc.property(given, lengths, changes, (bytes, { words, total, length }, flips) => {
      const { u8, u16 } = frame(bytes, 34)
      u8.set([8, 0, 0x40 | words, 0, 0, total, 0, 0, 0x40, 0, 64, 6], 12)
      for (const [at, value] of flips) u8[at] = value
      correctChecksums(u8.subarray(0, 14 + words * 4))
      const header = checkIpv4(abi, u8, u16, length)
      if (header < 0) return
      t.true(header >= 20 && header % 4 === 0 && header <= ipLength(u16) && 14 + ipLength(u16) <= length)
      for (let at = 34; at < 14 + header && u8[at] !== 0; at += u8[at] === 1 ? 1 : u8[at + 1]) {
        t.true(u8[at] !== 131 && u8[at] !== 137)
        t.true(u8[at] === 1 || (at + 1 < 14 + header && u8[at + 1] >= 2 && at + u8[at + 1] <= 14 + header))
      }
    }),
    runs({ few: 500 }),
  )
})

test('IPv4 addresses: text is read as it was written, and no other text; masks are those of their bits', t => {
  fc.assert(
    fc.property(addresses, fc.nat(32), (address, bits) => {
      t.is(parseIpv4(formatIpv4(address)), address)
      t.is(maskBits(prefixMask(bits)), bits)
      const host = address & ~prefixMask(bits)
      t.is(isWholeNetwork(address, prefixMask(bits), bits), bits < 31 && (host === 0 || (host | prefixMask(bits)) === -1))
    }),
    runs(),
  )
  const octet = fc.oneof(
    fc.nat(300).map(String),
    fc.nat(99).map(String),
    fc.constantFrom('0', '00', '01', '', ' 1', '1 ', '-1', '0x1', '1e1', '١'),
  )
  const near = fc.oneof(
    { weight: 4, arbitrary: fc.tuple(octet, octet, octet, octet) },
    { weight: 1, arbitrary: fc.array(octet, { maxLength: 6 }) },
  )
  fc.assert(
    fc.property(
      near.map(parts => parts.join('.')),
      text => {
        const address = parseIpv4(text)
        t.true(address === undefined || formatIpv4(address) === text)
      },
    ),
    runs(),
  )
})

const blocks = fc.array(fc.integer(), { minLength: 2, maxLength: 8 }).map(edges => edges.slice(0, edges.length & ~1))
const options = fc.record({
  mss: fc.nat(0xffff),
  scale: fc.integer({ min: -1, max: 14 }),
  sack: fc.boolean(),
  stamps: fc.option(fc.tuple(fc.integer(), fc.integer()), { nil: undefined }),
})

test('TCP: a segment that was written is read, with the options of a SYN', t => {
  fc.assert(
    fc.property(
      ports,
      ports,
      addresses,
      addresses,
      fc.nat(255),
      ports,
      options,
      fc.nat(1000),
      (from, to, seq, ack, flags, window, given, payload) => {
        const { u8, u16 } = frame()
        const at = 34
        const isSyn = (flags & SYN) !== 0
        const more = isSyn ? writeSynOptions(u16, (at + TCP_BYTES) / 2, given) : 0
        writeTcp(u16, at / 2, from, to, seq, ack, flags, window, TCP_BYTES + more)
        const s = new Segment()
        t.true(parseTcp(u8, u16, at, TCP_BYTES + more + payload, s))
        const { remotePort, localPort, sequence, acknowledgment, offset, length } = s
        t.deepEqual([remotePort, localPort, sequence, acknowledgment, s.flags, s.window], [from, to, seq, ack, flags, window])
        t.deepEqual([offset, length], [at + TCP_BYTES + more, payload])
        const stamps = s.stamped ? [s.stamp, s.echo] : undefined
        if (isSyn) t.deepEqual({ mss: s.mss, scale: s.scale, sack: s.sack, stamps }, { ...given })
        t.false(parseTcp(u8, u16, at, TCP_BYTES + more - 1, s))
      },
    ),
    runs(),
  )
})

test('TCP: blocks of selective acknowledgments stand as RFC 2018 says', t => {
  fc.assert(
    fc.property(blocks, edges => {
      const { u8 } = frame()
      const length = writeSack(new Uint16Array(u8.buffer), 10, edges)
      const view = new DataView(u8.buffer, 20)
      t.deepEqual([...u8.slice(20, 24)], [1, 1, 5, length - 2])
      t.is(length, 4 + edges.length * 4)
      t.deepEqual(
        edges.map((_, i) => view.getInt32(4 + i * 4)),
        edges,
      )
      t.is(u8[20 + length], 0xa5)
    }),
    runs(),
  )
})

test('TCP: whatever a header says, payload and options lie in the segment, and its values are such as can be used', t => {
  const right = fc.oneof(
    fc.nat(0xffff).map(mss => [2, 4, mss >>> 8, mss & 255]),
    fc.nat(255).map(shift => [3, 3, shift]),
    fc.constantFrom([4, 2], [1], [1, 1], [8, 10, 0, 0, 0, 1, 0, 0, 0, 2], [254, 4, 0, 0]),
  )
  const given = optionBytes(right, fc.constantFrom(0, 2, 3, 4, 5))
  const words = fc.oneof(fc.nat(15), fc.integer({ min: 5, max: 8 }))
  fc.assert(
    fc.property(given, words, fc.nat(255), fc.nat(100), (bytes, words, flags, length) => {
      const at = 34
      const { u8, u16 } = frame(bytes, at + TCP_BYTES)
      u8[at + 12] = words << 4
      u8[at + 13] = flags | SYN
      const s = new Segment()
      const other = new Segment()
      const isRead = parseTcp(u8, u16, at, length, s)
      t.is(isRead, words >= 5 && words * 4 <= length && length >= TCP_BYTES)
      if (!isRead) return
      t.deepEqual([s.offset, s.length], [at + words * 4, length - words * 4])
      t.true(s.scale >= -1 && s.scale <= 14 && s.mss >= 0 && s.mss <= 0xffff)
      u8.fill(2, at + words * 4) // what stands behind the header decides nothing
      parseTcp(u8, u16, at, length, other)
      t.deepEqual([other.mss, other.scale, other.sack], [s.mss, s.scale, s.sack])
    }),
    runs({ few: 500 }),
  )
})
