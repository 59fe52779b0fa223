import test from 'ava'
import fc from 'fast-check'
import { FIRST_SLOT, collect, connect, end, packet, respond, same, setUp, transmit, warnings, type Rings } from './testing/netfront.ts'
import { XenbusState } from './xenbus.ts'

// Hostile backends. Expected of each: no crash, no hang, no leak, one warning, the connection closed or the packet dropped.

const fatal: Record<string, (rings: Rings) => void> = {
  'a receive index that jumps': ({ rx }) => { rx[2] += 1000 },
  'a receive index that passes what was posted by one': ({ rx }) => { rx[2] += 129 },
  'a receive index that goes back': ({ rx }) => { rx[2] -= 1 },
  'a receive id that does not exist': (rings) => { respond(rings, 0, 4000, 0, 0, 60); rings.rx[2]++ },
  'a receive id answered twice': (rings) => { respond(rings, 0, 5, 0, 0, 60); respond(rings, 1, 5, 0, 0, 60); respond(rings, 2, 5, 0, 0, 60); rings.rx[2] += 140 },
  'a packet beyond the end of its page': (rings) => { respond(rings, 0, 0, 4090, 0, 60); rings.rx[2]++ },
  'a packet longer than a page': (rings) => { respond(rings, 0, 0, 0, 0, 5000); rings.rx[2]++ },
  'an offset out of the page': (rings) => { respond(rings, 0, 0, 65535, 0, 60); rings.rx[2]++ },
  'more slots than were agreed on': (rings) => { respond(rings, 0, 0, 0, 4, 60); rings.rx[2]++ },
  'extra info that was not agreed on': (rings) => { respond(rings, 0, 0, 0, 8, 60); rings.rx[2]++ },
  'a send index that jumps': ({ tx }) => { tx[2] += 1000 },
  'a send response without a request': ({ tx }) => { tx[2] += 1 },
  'a send answer to extra info that does not exist': ({ tx, set }) => { set.netback.holdResponses = true; tx[FIRST_SLOT] = 4000 | 1 << 16 },
  'a send id that does not exist': ({ tx, set }) => { set.netback.holdResponses = true; tx[FIRST_SLOT] = 4000 },
}

for (const [name, spoil] of Object.entries(fatal)) {
  test(`hostile backend: ${name} closes the connection with one warning`, async (t) => {
    const set = setUp()
    const device = await connect(set, { sendBuffers: 4 })
    collect(device)
    device.onWritable = () => {}
    set.netback.holdResponses = true
    if (name.startsWith('a send')) {
      for (let i = 0; i < 4; i++) transmit(device, packet(60))
      t.is(device.reserve(), undefined)
      await set.xen.settle()
    }
    const { tx, rx, channel } = set.netback
    set.dom0.abi.fence()
    if (tx === undefined || rx === undefined) return t.fail('not connected')
    spoil({ tx: tx.words, rx: rx.words, set })
    if (name.includes('that does not exist') && name.startsWith('a send')) tx.words[2] += 1
    if (name === 'a send response without a request') tx.words[2] += 4
    channel?.notify()
    await set.xen.settle()
    t.is(warnings(set).length, 1, warnings(set).join('\n'))
    t.regex(warnings(set)[0], /backend in domain 0 broke the ring: /)
    t.is(device.reserve(), undefined)
    t.is(set.xen.store.read(`${set.netback.frontendPath}/state`), '6')
    await end(set, device)
  })
}

/** Extra info in slot `index`. */
const inform = ({ rx }: Rings, index: number, type: number, flags: number, size: number, segments: number): void => {
  rx[FIRST_SLOT + index * 2] = type | flags << 8 | size << 16
  rx[FIRST_SLOT + index * 2 + 1] = segments
}

const fatalLarge: Record<string, (rings: Rings) => number> = {
  'extra info without end': (rings) => { respond(rings, 0, 0, 0, 8, 60); for (let i = 1; i < 100; i++) inform(rings, i, 1, 1, 1448, 1); return 100 },
  'extra info that is announced and not there': (rings) => { respond(rings, 0, 0, 0, 8, 60); return 1 },
  'extra info of an unknown type': (rings) => { respond(rings, 0, 0, 0, 8, 60); inform(rings, 1, 9, 0, 1448, 1); return 2 },
  'extra info in the middle of a packet': (rings) => { respond(rings, 0, 0, 0, 4, 60); respond(rings, 1, 1, 0, 8, 60); inform(rings, 2, 1, 0, 1448, 1); return 3 },
  'segments of size 0': (rings) => { respond(rings, 0, 0, 0, 8, 60); inform(rings, 1, 1, 0, 0, 1); return 2 },
  'segments of an unknown type': (rings) => { respond(rings, 0, 0, 0, 8, 60); inform(rings, 1, 1, 0, 1448, 2); return 2 },
  'more data promised on the last slot': (rings) => { respond(rings, 0, 0, 0, 4, 4096); return 1 },
  'more slots than a packet can have': (rings) => { for (let i = 0; i < 20; i++) respond(rings, i, i, 0, i < 19 ? 4 : 0, 4096); return 20 },
  'a packet without end': (rings) => { for (let i = 0; i < 128; i++) respond(rings, i, i, 0, 4, 0); return 128 },
  'a piece beyond the end of its page': (rings) => { respond(rings, 0, 0, 0, 4, 4096); respond(rings, 1, 1, 4000, 0, 200); return 2 },
  'a piece longer than a page': (rings) => { respond(rings, 0, 0, 0, 4, 4096); respond(rings, 1, 1, 0, 0, 4097); return 2 },
  'a piece in the same page as the one before': (rings) => { respond(rings, 0, 0, 0, 4, 4096); respond(rings, 1, 0, 0, 0, 200); return 2 },
  'a piece in a page that does not exist': (rings) => { respond(rings, 0, 0, 0, 4, 4096); respond(rings, 1, 4000, 0, 0, 200); return 2 },
}

for (const [name, spoil] of Object.entries(fatalLarge)) {
  test(`hostile backend: ${name} closes the connection with one warning`, async (t) => {
    const set = setUp()
    const device = await connect(set, { largePackets: true })
    const packets = collect(device)
    const { tx, rx, channel } = set.netback
    set.dom0.abi.fence()
    if (tx === undefined || rx === undefined) return t.fail('not connected')
    rx.words[2] += spoil({ tx: tx.words, rx: rx.words, set })
    channel?.notify()
    await set.xen.settle()
    t.is(packets.length, 0)
    t.is(warnings(set).length, 1, warnings(set).join('\n'))
    t.regex(warnings(set)[0], /backend in domain 0 broke the ring: /)
    await end(set, device)
  })
}

test('hostile backend: a large packet with a piece that failed, or with nothing in it, is dropped, and its pages serve again', async (t) => {
  const set = setUp()
  const device = await connect(set, { largePackets: true })
  const packets = collect(device)
  for (let round = 0; round < 100; round++) {
    const { rx, channel } = set.netback
    if (rx === undefined) return t.fail('not connected')
    set.dom0.abi.fence()
    const statuses = [[4096, -1, 100], [-1, 4096, 100], [0, 0, 0], [5, 0, 5]][round % 4]
    statuses.forEach((status, i) => {
      const index = rx.consumed++ % 256
      respond({ tx: rx.words, rx: rx.words, set }, index, rx.words[FIRST_SLOT + index * 2] & 0xffff, 0, i < 2 ? 4 : 0, status)
      rx.words[2] = ++rx.produced
    })
    channel?.notify()
    await set.xen.settle()
  }
  t.is(packets.length, 0)
  set.netback.send(packet(60))
  await set.xen.settle()
  t.is(packets.length, 1)
  t.deepEqual(warnings(set), [])
  await end(set, device)
})

test('hostile backend: packets that are none are dropped, the connection lives', async (t) => {
  const set = setUp()
  const device = await connect(set)
  const packets = collect(device)
  for (const status of [0, 13, -1, -2, -32768]) {
    const { rx, channel } = set.netback
    if (rx === undefined) return t.fail('not connected')
    set.dom0.abi.fence()
    const index = rx.consumed++ % 256
    respond({ tx: rx.words, rx: rx.words, set }, index, rx.words[FIRST_SLOT + index * 2] & 0xffff, 0, 0, status)
    rx.words[2] = ++rx.produced
    channel?.notify()
    await set.xen.settle()
  }
  t.is(packets.length, 0)
  set.netback.send(packet(60))
  await set.xen.settle()
  t.is(packets.length, 1)
  t.deepEqual(warnings(set), [])
  await end(set, device)
})

test('hostile backend: a storm of events and state changes without a reason costs nothing', async (t) => {
  const set = setUp()
  const device = await connect(set)
  for (let i = 0; i < 200; i++) {
    set.netback.channel?.notify()
    set.xen.store.write(`${set.netback.path}/state`, ['4', '3', '4', '8', '7', '4'][i % 6])
    await set.xen.settle()
  }
  t.true(transmit(device, packet(60)))
  await set.xen.settle()
  t.is(set.netback.received.length, 1)
  t.deepEqual(warnings(set), [])
  await end(set, device)
})

for (const state of ['', 'connected', '99999999999', '0', '-4', '4.0']) {
  test(`hostile backend: state ${JSON.stringify(state)} counts as gone`, async (t) => {
    const set = setUp()
    const device = await connect(set)
    set.xen.store.write(`${set.netback.path}/state`, state)
    await set.xen.settle()
    t.is(device.reserve(), undefined)
    await end(set, device)
  })
}

test('hostile backend: one that breaks the rules again and again is not tried more than once a second', async (t) => {
  const set = setUp()
  const device = await connect(set)
  for (let i = 0; i < 100; i++) {
    set.dom0.abi.fence()
    if (set.netback.rx !== undefined) set.netback.rx.words[2] += 1000
    set.netback.channel?.notify()
    await set.xen.settle()
    if (set.netback.state === XenbusState.closed) set.netback.setState(XenbusState.initWait)
    await set.xen.advance(100)
  }
  t.true(warnings(set).length >= 5 && warnings(set).length <= 11, `${warnings(set).length}`)
  await end(set, device)
})

test('property: whatever a backend writes into the rings, nothing crashes and nothing is lost', async (t) => {
  const word = fc.oneof(fc.nat(0xffffffff), fc.nat(300), fc.nat(127).map((id) => id | 60 << 16))
  await fc.assert(fc.asyncProperty(fc.array(fc.tuple(fc.nat(1), fc.nat(60), word), { maxLength: 40 }), fc.nat(40), fc.nat(40), async (writes, rxCount, txCount) => {
    const set = setUp()
    const device = await connect(set, { sendBuffers: 4, receiveBuffers: 64, largePackets: true })
    collect(device)
    for (let i = 0; i < 5; i++) transmit(device, packet(60))
    set.netback.holdResponses = true
    await set.xen.settle()
    set.dom0.abi.fence()
    const { tx, rx, channel } = set.netback
    if (tx === undefined || rx === undefined) return false
    for (const [which, index, value] of writes) (which === 0 ? tx : rx).words[FIRST_SLOT + index] = value
    rx.words[2] += rxCount
    tx.words[2] += txCount
    channel?.notify()
    await set.xen.settle()
    for (let i = 0; i < 5; i++) transmit(device, packet(60))
    await end(set, device)
    return warnings(set).length <= 1
  }), { numRuns: 60 })
  t.pass()
})
