/** IPv6's addresses and headers by themselves. */
import test from 'ava'
import fc from 'fast-check'
import {
  HEADERS_FRAGMENT,
  HEADERS_GOOD,
  HEADERS_MALFORMED,
  HEADERS_PROBLEM,
  HEADERS_SOURCE_ROUTED,
  HEADERS_UNWANTED,
  IP6_PAYLOAD,
  Walk,
  walkHeaders,
} from './ipv6.ts'
import {
  ANY6,
  commonBits,
  formatIpv6,
  groupMac,
  hasPrefix,
  ipv6Of,
  isLinkLocal,
  isMulticast,
  isSame6,
  isSpecial6,
  keyOf,
  LINK_LOCAL,
  parseIpv6,
  solicitedNode,
  withInterfaceId,
} from './ipv6-address.ts'

const ip = (text: string) => parseIpv6(text)!
const word = fc.oneof(fc.constant(0), fc.nat(0xffff))
const address = fc.array(word, { minLength: 8, maxLength: 8 }).map(words => Uint16Array.from(words))

test('text of addresses: what is one, what is not, and the one way to write it (RFC 5952)', t => {
  const good = [
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:0DB8::0001', '2001:db8::1'],
    ['fd09:24ef:4179:0000::a89:1f', 'fd09:24ef:4179::a89:1f'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['::', '::'],
    ['::1', '::1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['::ffff:10.0.0.1', '::ffff:a00:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ]
  for (const [text, usual] of good) t.is(formatIpv6(ip(text)), usual, text)
  const bad = ['', ':', ':::', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '1::2::3', '12345::', 'g::', '::1.2.3', '::1.2.3.4:1', '::01.2.3.4']
  bad.push('fe80::1%eth0', '[::1]', '::1 ', '1.2.3.4', 'fd00', '1:2:3:4:5:6:7:8::')
  for (const text of bad) t.is(parseIpv6(text), undefined, text)
  // The first octet of the text is the first byte of a packet.
  t.deepEqual([...new Uint8Array(ip('102:304::f00d').buffer)], [1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xf0, 0x0d])
})

test('an address is the same after text and back, after a key and back, and text has one form', t => {
  fc.assert(
    fc.property(address, words => {
      const text = formatIpv6(words)
      t.true(isSame6(ip(text), words))
      t.is(formatIpv6(ip(text)), text)
      t.true(isSame6(ipv6Of(keyOf(words)), words))
    }),
  )
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'0123456789abcdefF:.%'), maxLength: 45 }), text => {
      const parsed = parseIpv6(text)
      if (parsed !== undefined) t.true(isSame6(ip(formatIpv6(parsed)), parsed))
    }),
  )
})

test('prefixes: bits in common are those that agree', t => {
  t.true(hasPrefix(ip('2001:db8:ffff::1'), ip('2001:db8::'), 32))
  t.false(hasPrefix(ip('2001:db9::1'), ip('2001:db8::'), 32))
  t.true(hasPrefix(ip('2001:db9::1'), ip('2001:db8::'), 31))
  t.is(commonBits(ip('fd00::1'), ip('fd00::2')), 126)
  fc.assert(
    fc.property(address, address, (a, b) => {
      const bits = commonBits(a, b)
      t.true(hasPrefix(a, b, bits))
      t.is(bits < 128 && hasPrefix(a, b, bits + 1), false)
      t.is(bits === 128, isSame6(a, b))
    }),
  )
})

test('kinds of addresses, and the addresses of a MAC address', t => {
  t.deepEqual(
    ['ff02::1', 'fe80::1'].map(text => isMulticast(ip(text))),
    [true, false],
  )
  t.deepEqual(
    ['fe80::1', 'febf::1', 'fec0::1', 'fd00::1'].map(text => isLinkLocal(ip(text))),
    [true, true, false, false],
  )
  const special = ['::', '::1', '::10.0.0.1', '::ffff:10.0.0.1', 'ff02::1']
  t.deepEqual(
    special.filter(text => !isSpecial6(ip(text))),
    [],
  )
  t.deepEqual(
    ['fe80::1', 'fd00::', '64:ff9b::10.0.0.1', '0:0:0:0:1::'].filter(text => isSpecial6(ip(text))),
    [],
  )
  t.true(isSame6(ANY6, ip('::')))
  t.is(formatIpv6(solicitedNode(ip('fd00::12:3456:789a'))), 'ff02::1:ff56:789a')
  t.deepEqual([...new Uint8Array(groupMac(ip('ff02::1:ff56:789a')).buffer)], [0x33, 0x33, 0xff, 0x56, 0x78, 0x9a])
  // The gateway of Qubes is what the MAC address of netback makes.
  t.is(formatIpv6(withInterfaceId(LINK_LOCAL, new Uint16Array([0xfffe, 0xffff, 0xffff]))), 'fe80::fcff:ffff:feff:ffff')
  t.is(formatIpv6(withInterfaceId(ip('fd00::'), new Uint16Array([0x1600, 0x5e3e, 0x006c]))), 'fd00::216:3eff:fe5e:6c00')
})

/** The verdict on extension headers: `protocol` is the number of the first. */
function walk(protocol: number, ...headers: number[][]): [number, Walk] {
  const bytes = new Uint8Array(IP6_PAYLOAD + 400).fill(0xee)
  const flat = headers.flat()
  bytes.set(flat, IP6_PAYLOAD)
  const found = new Walk()
  return [walkHeaders(bytes, IP6_PAYLOAD, IP6_PAYLOAD + flat.length, protocol, found), found]
}

const options = (next: number, ...bytes: number[]): number[] => [next, (bytes.length - 6) / 8, ...bytes]
const padded = (next: number): number[] => options(next, 1, 4, 0, 0, 0, 0)
const tcp = [1, 2, 3, 4]

test('extension headers are walked over as RFC 8200 says', t => {
  const good: [number, number[][], number, number][] = [
    [6, [tcp], 6, 0],
    [0, [padded(6), tcp], 6, 8],
    [60, [padded(43), [60, 0, 0, 0, 1, 2, 3, 4], padded(17), tcp], 17, 24],
    [44, [[58, 0, 0, 0, 1, 2, 3, 4], tcp], 58, 8], // an atomic fragment
    [60, [options(6, 0, 0x1e, 1, 9, 0, 0), tcp], 6, 8], // an option that may be skipped
    [0, [options(58, 5, 2, 0, 0, 1, 0), tcp], 58, 8], // router alert
    [43, [[6, 2, 0, 0, ...new Array(20).fill(7)], tcp], 6, 24], // a source route that was gone
  ]
  for (const [first, headers, protocol, at] of good) {
    const [verdict, found] = walk(first, ...headers)
    t.deepEqual([verdict, found.protocol, found.at - IP6_PAYLOAD], [HEADERS_GOOD, protocol, at], String(headers))
  }
})

test('extension headers that are refused, each for its reason', t => {
  const many = (count: number): number[][] => [...new Array(count - 1).fill(padded(60)), padded(6)]
  t.is(walk(60, ...many(8), tcp)[0], HEADERS_GOOD)
  const cases: [string, number, number[][], number, (number | boolean)[]?][] = [
    ['hop-by-hop options behind others', 60, [padded(0), padded(6), tcp], HEADERS_PROBLEM, [1, 40, false]],
    ['an option that must be known', 60, [options(6, 0x80, 4, 0, 0, 0, 0), tcp], HEADERS_PROBLEM, [2, 42, true]],
    ['the same, but silent for groups', 60, [options(6, 0, 0xc2, 3, 0, 0, 0), tcp], HEADERS_PROBLEM, [2, 43, false]],
    ['an option that says: drop', 0, [options(6, 0x40, 4, 0, 0, 0, 0), tcp], HEADERS_UNWANTED],
    ['a source route of type 0', 43, [[6, 2, 0, 1, ...new Array(20).fill(7)], tcp], HEADERS_SOURCE_ROUTED, [0, 42, false]],
    ['a source route of any type', 60, [padded(43), [6, 0, 200, 1, 0, 0, 0, 0], tcp], HEADERS_SOURCE_ROUTED, [0, 50, false]],
    ['a fragment', 44, [[6, 0, 0, 1, 0, 0, 0, 1], tcp], HEADERS_FRAGMENT],
    ['a later fragment', 60, [padded(44), [6, 0, 0, 8, 0, 0, 0, 1], tcp], HEADERS_FRAGMENT],
    ['an option over the end of its header', 60, [options(6, 1, 5, 0, 0, 0, 0), tcp], HEADERS_MALFORMED],
    ['an option without its length', 60, [options(6, 1, 3, 0, 0, 0, 1), tcp], HEADERS_MALFORMED],
    ['a header over the end of the packet', 60, [[6, 1, 1, 4, 0, 0, 0, 0]], HEADERS_MALFORMED],
    ['a header of which there are four bytes', 43, [[6, 0, 0, 0]], HEADERS_MALFORMED],
    ['a fragment header of which there are four bytes', 44, [[6, 0, 0, 0]], HEADERS_MALFORMED],
    ['too many headers', 60, [...many(9), tcp], HEADERS_MALFORMED],
    ['too many options', 60, [options(6, ...new Array(9).fill([0x1e, 0]).flat(), 1, 2, 0, 0), tcp], HEADERS_MALFORMED],
  ]
  for (const [what, first, headers, verdict, problem] of cases) {
    const [got, found] = walk(first, ...headers)
    t.is(got, verdict, what)
    if (problem !== undefined) t.deepEqual([found.problem, found.pointer, found.tellGroup], problem as never, what)
  }
})

test('headers of random bytes end, and nothing behind the packet is read', t => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(0, 43, 44, 60), fc.nat(255), (bytes, first, fill) => {
      const found = new Walk()
      const frame = (behind: number): Uint8Array => {
        const whole = new Uint8Array(IP6_PAYLOAD + bytes.length + 64).fill(behind)
        whole.set(
          bytes.map((byte, i) => (i % 8 === 0 && byte % 4 ? [0, 43, 44, 60][byte % 4] : i % 8 === 1 ? byte % 3 : byte)),
          IP6_PAYLOAD,
        )
        return whole
      }
      const end = IP6_PAYLOAD + bytes.length
      const verdict = walkHeaders(frame(0), IP6_PAYLOAD, end, first, found)
      const again = new Walk()
      t.is(walkHeaders(frame(fill), IP6_PAYLOAD, end, first, again), verdict)
      t.deepEqual(again, found)
      if (verdict === HEADERS_GOOD) t.true(found.at <= end)
    }),
    { numRuns: 2000 },
  )
})
