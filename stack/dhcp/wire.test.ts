import { runs } from '@xen-ts/boot/fuzz'
import test from 'ava'
import fc from 'fast-check'
import { testAbi } from '../testing/abi.ts'
import { World } from '../testing/world.ts'
import { DhcpFormatError, messageTypes, options, readDhcp, writeDhcp } from '../wire/dhcp.ts'
import { readDhcpFrame, writeDhcpFrame } from './frame.ts'
import { readLease } from './lease.ts'
import { type AnswerSpec, addresses, goodOptions, goodServer, ip, link, MAC, writeAnswer } from './testing.ts'

const hex = (bytes: Uint8Array): string => Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')

test('golden bytes of a request', t => {
  const bytes = writeDhcp({
    type: 'request',
    xid: 0x12345678,
    seconds: 300.9,
    broadcast: true,
    clientAddress: ip('10.1.2.3'),
    mac: MAC,
    options: [[options.requestedAddress, addresses('10.0.0.50')]],
  })
  const fields = `01010600${'12345678'}${'012c8000'}0a010203${'00'.repeat(12)}00163e5e6c01${'00'.repeat(10)}${'00'.repeat(192)}`
  t.is(hex(bytes), `${fields}63825363${'350103'}${'32040a000032'}ff${'00'.repeat(50)}`)
  t.is(bytes.length, 300)
})

const optionList = fc.uniqueArray(
  fc
    .tuple(fc.integer({ min: 1, max: 254 }), fc.uint8Array({ maxLength: 40 }))
    .filter(([code]) => code !== options.type && code !== options.overload),
  { selector: ([code]) => code, maxLength: 12 },
)
const types = fc.constantFrom(...(Object.keys(messageTypes) as (keyof typeof messageTypes)[]))

test('a message that was written is read again', t => {
  fc.assert(
    fc.property(types, fc.nat(), fc.boolean(), fc.integer(), optionList, (type, xid, broadcast, clientAddress, list) => {
      const read = readDhcp(writeDhcp({ type, xid, seconds: 1, broadcast, clientAddress, mac: MAC, options: list }))
      t.deepEqual({ ...read, options: undefined }, { reply: false, type, xid, clientAddress, yourAddress: 0, mac: MAC, options: undefined })
      t.deepEqual([...read.options].slice(1), list)
    }),
    runs(),
  )
})

test('long options, in pieces and in all three fields, are read in one', t => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 600 }),
      fc.uint8Array({ maxLength: 100 }),
      fc.uint8Array({ maxLength: 50 }),
      (long, file, sname) => {
        const bytes = writeAnswer({ xid: 1, mac: MAC }, { extra: [[200, long]], file: [[200, file]], sname: [[200, sname]] })
        t.deepEqual(readDhcp(bytes).options.get(200), Uint8Array.of(...long, ...file, ...sname))
      },
    ),
    runs(),
  )
})

const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 })

test('whatever bytes arrive: they are read, or refused with a DhcpFormatError', t => {
  const read = (bytes: Uint8Array): void => {
    try {
      readLease(readDhcp(bytes), 1500)
    } catch (error) {
      if (!(error instanceof DhcpFormatError)) throw error
    }
  }
  fc.assert(
    fc.property(types, optionList, changes, fc.nat(), (type, extra, flips, cut) => {
      const bytes = writeAnswer({ xid: 1, mac: MAC }, { type, extra })
      // Most of a message is zeros: the options are where it is worth while.
      for (const [at, value] of flips) bytes[at % 3 === 0 ? at % bytes.length : 236 + (at % (bytes.length - 236))] = value
      read(bytes)
      read(bytes.subarray(0, cut % bytes.length))
    }),
    runs(),
  )
  fc.assert(fc.property(fc.uint8Array({ maxLength: 700 }), read), runs())
  t.pass()
})

test('whatever servers say, the client keeps its promises: bound and lost take turns, and close leaves nothing', async t => {
  const spec: fc.Arbitrary<AnswerSpec> = fc.record({
    type: fc.constantFrom('offer' as const, 'ack' as const, 'nak' as const),
    address: fc.constantFrom('10.0.0.50', '10.0.0.51', '127.0.0.1'),
    options: fc.constantFrom(goodOptions(), goodOptions('10.0.0.2'), goodOptions('10.0.0.1', 15), goodOptions('10.0.0.1', 0), []),
  })
  const replies = fc.array(fc.array(spec, { maxLength: 3 }), { maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(replies, fc.boolean(), async (script, taken) => {
      const world = new World(1)
      let step = 0
      const one = link(world, sent => script[step++] ?? goodServer()(sent), { probe: () => taken && step < 6 })
      one.client.start()
      await world.run(2_000_000)
      const kinds = one.events.map(event => event.split(/[ :]/)[1])
      kinds.forEach((kind, i) => t.true(kind === 'bound' || kinds[i - 1] === 'bound', kinds.join(' ')))
      t.is(one.client.lease !== undefined, kinds.at(-1) === 'bound')
      t.true(one.sent.length < 1_000, `${one.sent.length} messages`)
      one.client.close()
      await world.run(100_000)
      t.is(world.pending, 0)
    }),
    runs({ few: 25, cost: 20 }),
  )
})

function frame(): { u8: Uint8Array; u16: Uint16Array; checked?: boolean } {
  const u8 = new Uint8Array(1514)
  return { u8, u16: new Uint16Array(u8.buffer) }
}

test('frames of a host without an address', t => {
  const abi = testAbi(1, () => 0)
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 1400 }), fc.integer(), (message, source) => {
      const out = frame()
      const length = writeDhcpFrame(abi, out, MAC, source, message)
      t.is(length, 42 + message.length)
      t.is(hex(out.u8.subarray(0, 14)), 'ffffffffffff00163e5e6c010800')
      t.is(abi.checksum(out.u8, 14, 20, 0), 0xffff)
      t.is(readDhcpFrame(abi, out, length), undefined, 'it is for servers')
      // As a server answers: the ports the other way round, which changes no sum.
      out.u8.set([0, 67, 0, 68], 34)
      t.deepEqual(readDhcpFrame(abi, out, length), message)
      out.u8[41 + message.length] ^= 1
      t.is(readDhcpFrame(abi, out, length), 'badChecksum', 'a wrong sum')
      out.checked = true
      t.not(readDhcpFrame(abi, out, length), undefined, 'which need not be looked at')
      out.checked = false
      out.u16[20] = 0
      t.not(readDhcpFrame(abi, out, length), undefined, 'there is none')
    }),
    runs(),
  )
})

test('frames that are not what they say are not read', t => {
  const abi = testAbi(1, () => 0)
  const rows: [string, (u8: Uint8Array) => void, reason?: string][] = [
    ['another type', u8 => void (u8[12] = 9)],
    ['IPv6', u8 => void (u8[14] = 0x65)],
    ['a short header', u8 => void (u8[14] = 0x44)],
    ['a header beyond the packet', u8 => void (u8[14] = 0x4f)],
    ['TCP', u8 => void (u8[23] = 6)],
    ['a packet longer than the frame', u8 => void (u8[16] = 9)],
    ['a packet shorter than UDP', u8 => void u8.set([0, 27], 16)],
    ['a datagram longer than the packet', u8 => void (u8[38] = 9), 'malformed'],
    ['a datagram shorter than its header', u8 => void u8.set([0, 7], 38), 'malformed'],
    ['another port', u8 => void (u8[37] = 69)],
    ['from another port', u8 => void (u8[35] = 69)],
    ['a fragment', u8 => void (u8[20] = 0x20), 'fragments'],
    ['a later fragment', u8 => void (u8[21] = 1), 'fragments'],
    ['a wrong sum of the header', u8 => void (u8[22] ^= 1), 'badChecksum'],
  ]
  for (const [title, change, reason] of rows) {
    const one = frame()
    const length = writeDhcpFrame(abi, one, MAC, 0, new Uint8Array(300))
    one.u8.set([0, 67, 0, 68], 34)
    one.u16[20] = 0
    const header = (): void => {
      one.u16[12] = 0
      one.u16[12] = ~abi.checksum(one.u8, 14, 20, 0)
    }
    t.not(readDhcpFrame(abi, one, length), undefined)
    change(one.u8)
    if (!title.includes('sum')) header() // the fault alone shall decide
    t.is(readDhcpFrame(abi, one, length), reason as undefined, title)
  }
  const one = frame()
  t.is(readDhcpFrame(abi, one, 41), undefined)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), bytes => {
      const any = frame()
      any.u8.set([8, 0, 0x45], 12)
      any.u8.set(bytes, 14)
      const read = readDhcpFrame(abi, any, bytes.length + 14)
      t.true(!(read instanceof Uint8Array) || read.length <= bytes.length)
    }),
    runs(),
  )
})
