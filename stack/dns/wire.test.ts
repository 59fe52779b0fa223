import { runs } from '@xen-ts/boot/fuzz'
import test from 'ava'
import fc from 'fast-check'
import { type DnsRecord, readBody, readHead, types, writeQuestion } from '../wire/dns.ts'
import { canonicalName, DnsFormatError, readName, writeName } from '../wire/dns-name.ts'
import { address, alias, authority, pointer, type RecordSpec, service, text, writeReply } from './testing.ts'

const hex = (bytes: Uint8Array): string => Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')
const bytesOf = (...parts: (string | readonly number[])[]): Uint8Array =>
  Uint8Array.from(parts.flatMap(part => (typeof part === 'string' ? [part.length, ...Array.from(part, c => c.charCodeAt(0))] : [...part])))

test('golden bytes of a question', t => {
  const plain = writeQuestion(0x1234, { name: 'example.org', type: 'A' }, false)
  t.is(hex(plain), '12340100000100000000000007' + hex(new TextEncoder().encode('example')) + '036f72670000010001')
  t.is(
    hex(writeQuestion(1, { name: '', type: 'SRV' }, true)),
    '000101000001000000000001' + '00' + '00210001' + '00002904d0' + '000000000000',
  )
})

test('names have one form', t => {
  const rows: [string, string | undefined][] = [
    ['Example.ORG', 'example.org'],
    ['example.org.', 'example.org'],
    ['.', ''],
    ['_http._tcp.a-b', '_http._tcp.a-b'],
    ['a b.c', 'a\\032b.c'],
    ['a\\.b.c', 'a\\046b.c'],
    ['a\\046b.c', 'a\\046b.c'],
    ['\\065', 'a'],
    ['a\\\\.', 'a\\092'],
    ['x'.repeat(63), 'x'.repeat(63)],
    ['x'.repeat(64), undefined],
    [`${'x.'.repeat(126)}y`, `${'x.'.repeat(126)}y`],
    [`${'x.'.repeat(127)}y`, undefined],
    ['', undefined],
    ['..', undefined],
    ['a..b', undefined],
    ['.a', undefined],
    ['a..', undefined],
    ['a\\', undefined],
    ['a\\1b', undefined],
    ['a\\256', undefined],
    ['é', undefined],
  ]
  for (const [given, expected] of rows) t.is(canonicalName(given), expected, given)
})

test('hostile names are refused', t => {
  const head = new Array<number>(12).fill(0)
  const rows: [string, Uint8Array, RegExp][] = [
    ['over the end', bytesOf(head, 'a'), /runs over the end/],
    ['label over the end', bytesOf(head, [5, 65]), /runs over the end/],
    ['half a pointer', bytesOf(head, [0xc0]), /runs over the end/],
    ['pointer to itself', bytesOf(head, [0xc0, 12]), /points from 12 to 12, not back/],
    ['pointer to its own label', bytesOf(head, 'a', [0xc0, 12]), /not back/],
    ['pointer forwards', bytesOf(head, [0xc0, 14], [0]), /not back/],
    ['pointer into the header', bytesOf(head, [0xc0, 4]), /not back/],
    ['extended label', bytesOf(head, [0x41, 0]), /unknown kind/],
    ['reserved label', bytesOf(head, [0x80, 0]), /unknown kind/],
    ['too long', bytesOf(head, ...new Array<string>(4).fill('x'.repeat(63)), [0]), /longer than 255/],
  ]
  for (const [what, message, expected] of rows)
    t.throws(() => readName(message, 12), { instanceOf: DnsFormatError, message: expected }, what)
  // Two that point to each other: the one that is read second points back, the other may not.
  const pair = bytesOf(head, [0xc0, 14], [0xc0, 12])
  t.throws(() => readName(pair, 12), { instanceOf: DnsFormatError })
  t.throws(() => readName(pair, 14), { instanceOf: DnsFormatError })
  t.throws(() => readName(bytesOf(head, [0xc0, 14], [0xc0, 12], [0xc0, 14]), 16), { instanceOf: DnsFormatError }, 'a loop before the name')
  // A name that grows by pointers is as bounded as one without.
  const growing = bytesOf(head, 'x'.repeat(63), 'x'.repeat(63), 'x'.repeat(63), [0], 'y'.repeat(63), [0xc0, 12])
  t.throws(() => readName(growing, 205), { message: /longer than 255/ })
})

const label = fc.uint8Array({ minLength: 1, maxLength: 12 })
const names = fc
  .array(label, { maxLength: 6 })
  .map(labels => labels.map(bytes => canonicalName(Array.from(bytes, code => `\\${String(code).padStart(3, '0')}`).join(''))!).join('.'))

test('a name that was written is read again', t => {
  fc.assert(
    fc.property(names, fc.integer({ min: 12, max: 50 }), (name, at) => {
      const bytes = new Uint8Array(400)
      const end = writeName(bytes, at, name)
      t.deepEqual(readName(bytes, at), { name, next: end })
    }),
    runs(),
  )
})

const ipv4 = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255)).map(octets => octets.join('.'))
const records = fc.oneof(
  fc.tuple(names, ipv4).map(([name, to]) => address(name, to)),
  fc.tuple(names, fc.constantFrom('::', '::1', 'fd00::1', '2001:db8:1:2:3:4:5:6', 'fe80::1:0:0:1')).map(([name, to]) => address(name, to)),
  fc.tuple(names, names).map(([name, to]) => alias(name, to)),
  fc.tuple(names, names).map(([name, to]) => pointer(name, to)),
  fc.tuple(names, fc.nat(65535), fc.nat(65535), names).map(([name, weight, port, to]) => service(name, 1, weight, port, to)),
  fc.tuple(names, fc.array(fc.string({ maxLength: 20 }), { maxLength: 3 })).map(([name, strings]) => text(name, ...strings)),
  names.map(name => authority(name, 77)),
)

/** What the reader should make of a record. */
function expected({ name, type, ttl = 0, data }: RecordSpec): DnsRecord {
  const only = data.find(part => typeof part === 'string') as string
  const part = data[0] as Uint8Array
  const word = (at: number): number => (part[at] << 8) | part[at + 1]
  switch (type) {
    case types.A:
      return { name, ttl, type: 'A', address: part.join('.') }
    case types.CNAME:
      return { name, ttl, type: 'CNAME', target: only }
    case types.PTR:
      return { name, ttl, type: 'PTR', target: only }
    case types.SRV:
      return { name, ttl, type: 'SRV', priority: word(0), weight: word(2), port: word(4), target: only }
    case types.TXT:
      return { name, ttl, type: 'TXT', strings: data.filter((_, i) => i % 2 === 1) as Uint8Array[] }
    case types.SOA:
      return { name, ttl, type: 'SOA', minimum: 77 }
    default:
      throw new Error(`no expectation for type ${type}`)
  }
}

const replies = fc.record({
  id: fc.nat(65535),
  question: names.map(name => ({ name, type: types.AAAA })),
  answers: fc.array(records, { maxLength: 8 }),
  authority: fc.array(records, { maxLength: 3 }),
  edns: fc.boolean(),
  compress: fc.boolean(),
})

test('an answer that was written is read again, with compressed names and without', t => {
  fc.assert(
    fc.property(replies, spec => {
      const bytes = writeReply(spec)
      const head = readHead(bytes)
      t.is(head.id, spec.id)
      t.deepEqual(head.question, { name: spec.question.name, type: 'AAAA' })
      const body = readBody(bytes, head)
      t.is(body.edns, spec.edns)
      const known = (list: readonly RecordSpec[]) => list.filter(record => record.type !== types.AAAA).map(expected)
      t.deepEqual(
        body.answers.filter(record => record.type !== 'AAAA'),
        known(spec.answers),
      )
      t.deepEqual(
        body.authority.filter(record => record.type !== 'AAAA'),
        known(spec.authority),
      )
    }),
    runs(),
  )
})

test('IPv6 addresses are written as RFC 5952 says', t => {
  for (const form of ['::', '::1', 'fd00::1', '2001:db8:1:2:3:4:5:6', 'fe80::1:0:0:1', '::ffff:a00:1']) {
    const bytes = writeReply({ answers: [address('a', form)] })
    t.deepEqual(readBody(bytes, readHead(bytes)).answers, [{ name: 'a', ttl: 300, type: 'AAAA', address: form }])
  }
})

test('whatever bytes arrive: they are read, or refused with a DnsFormatError', t => {
  const read = (bytes: Uint8Array): void => {
    try {
      readBody(bytes, readHead(bytes))
    } catch (error) {
      if (!(error instanceof DnsFormatError)) throw error
    }
  }
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(replies, changes, fc.nat(), (spec, flips, cut) => {
      const bytes = writeReply(spec)
      for (const [at, value] of flips) bytes[at % bytes.length] = value
      read(bytes)
      read(bytes.subarray(0, cut % bytes.length))
    }),
    runs(),
  )
  fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), read), runs())
  t.pass()
})

test('data that contradict their length are refused', t => {
  const one = (record: RecordSpec) => {
    const bytes = writeReply({ answers: [record] })
    return () => readBody(bytes, readHead(bytes))
  }
  const name = 'a'
  const short = (type: number, data: readonly (Uint8Array | string)[]): RecordSpec => ({ name, type, data })
  const rows: [string, RecordSpec][] = [
    ['A of 3 bytes', short(types.A, [Uint8Array.of(1, 2, 3)])],
    ['A of 5 bytes', short(types.A, [Uint8Array.of(1, 2, 3, 4, 5)])],
    ['AAAA of 4 bytes', short(types.AAAA, [Uint8Array.of(1, 2, 3, 4)])],
    ['CNAME with more behind it', short(types.CNAME, ['b', Uint8Array.of(0)])],
    ['CNAME without a name', short(types.CNAME, [])],
    ['SRV without a target', short(types.SRV, [Uint8Array.of(0, 1, 0, 2)])],
    ['SRV with more behind it', short(types.SRV, [new Uint8Array(6), 'b', Uint8Array.of(1)])],
    ['TXT whose string is longer', short(types.TXT, [Uint8Array.of(5, 65)])],
    ['SOA without numbers', short(types.SOA, ['a', 'b', new Uint8Array(4)])],
  ]
  for (const [what, record] of rows) t.throws(one(record), { instanceOf: DnsFormatError }, what)
  const many = writeReply({ answers: new Array(513).fill(address('a', '10.0.0.1')) })
  t.throws(() => readBody(many, readHead(many)), { message: /more than 512/ })
  const twice = writeReply({ edns: true, additional: [{ name: '', type: 41, data: [] }] })
  t.throws(() => readBody(twice, readHead(twice)), { message: /OPT/ })
})

test('a time to live with its highest bit set is 0 (RFC 2181 section 8)', t => {
  for (const [ttl, expected] of [
    [0x80000000, 0],
    [0xffffffff, 0],
    [0x7fffffff, 0x7fffffff],
    [0, 0],
  ]) {
    const bytes = writeReply({ answers: [address('a', '10.0.0.1', ttl)] })
    t.is(readBody(bytes, readHead(bytes)).answers[0].ttl, expected)
  }
})
