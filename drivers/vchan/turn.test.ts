/** What a turn of the event loop may cost, and whom it may keep waiting. */
import test from 'ava'
import { Endpoint } from './endpoint.ts'
import { Byte, Live, Word } from './layout.ts'
import { clientSide } from './link.ts'
import { RingReader, RingWriter } from './ring.ts'
import { end, equal, open, pattern, setUp } from './testing.ts'
import '@xen-ts/drivers/sim/leak-check'

/** Operations of a domain from now on, by name. */
const count = ({ domain }: ReturnType<typeof setUp>['client']): Record<string, number> => {
  const counts: Record<string, number> = { and8: 0, or8: 0, evtchnSend: 0 }
  domain.hook = operation => {
    if (operation in counts) counts[operation]++
  }
  return counts
}

test('small writes of one turn are told together, at its end', async t => {
  const set = setUp()
  const [a, b] = await open(set)
  await set.xen.settle()
  const reading = a.readExactly(1000)
  const counts = count(set.client)
  for (let i = 0; i < 100; i++) await b.write(pattern(10, i * 10))
  t.deepEqual(counts, { and8: 0, or8: 0, evtchnSend: 0 })
  const bytes = await set.xen.run(reading)
  t.is(bytes?.length, 1000)
  t.deepEqual(counts, { and8: 1, or8: 0, evtchnSend: 1 })
  await end(set.xen, a, b)
})

test('half a ring is told at once, so that the peer can begin', async t => {
  const set = setUp()
  const [a, b] = await open(set)
  await set.xen.settle()
  const reading = a.readExactly(2048)
  const counts = count(set.client)
  await b.write(pattern(1000))
  await b.write(pattern(1000))
  t.is(counts.evtchnSend, 0)
  await b.write(pattern(48))
  t.is(counts.evtchnSend, 1)
  await set.xen.run(reading)
  await end(set.xen, a, b)
})

test('a request is told before its answer is waited for', async t => {
  const set = setUp()
  const [a, b] = await open(set)
  await set.xen.settle()
  const request = a.readExactly(3)
  const counts = count(set.client)
  void b.write(pattern(3))
  t.is(counts.evtchnSend, 0)
  const answer = b.read()
  t.is(counts.evtchnSend, 1)
  t.true(equal(await set.xen.run(request), pattern(3)))
  await set.xen.run(a.write(pattern(5)))
  t.true(equal(await set.xen.run(answer), pattern(5)))
  await end(set.xen, a, b)
})

test('a ring that is emptied in small reads gives its room back in halves', async t => {
  const set = setUp()
  const [a, b] = await open(set)
  const writing = b.write(pattern(4096 + 5))
  await set.xen.settle()
  const counts = count(set.server)
  for (let i = 0; i < 40; i++) await a.readExactly(100)
  t.deepEqual(counts, { and8: 1, or8: 0, evtchnSend: 1 })
  await set.xen.run(writing)
  t.is((await set.xen.run(a.readExactly(101)))?.length, 101)
  await end(set.xen, a, b)
})

test('who waits is told, whatever the other does next', async t => {
  const set = setUp()
  const [a, b] = await open(set, 1024, 2048)
  for (const [from, to, length] of [
    [a, b, 1],
    [b, a, 1],
    [a, b, 1023],
    [b, a, 1025],
    [a, b, 5000],
  ] as const) {
    const reading = to.readExactly(length)
    await set.xen.settle()
    void from.write(pattern(length))
    t.true(equal(await set.xen.run(reading), pattern(length)))
  }
  await end(set.xen, a, b)
})

for (const what of ['read', 'write'] as const) {
  test(`hostile peer: one that is always ready for another ${what} does not keep timers from running`, async t => {
    const {
      xen,
      client: {
        domain: { machine },
      },
    } = setUp()
    const control = new Uint8Array(4096)
    const words = new Uint32Array(control.buffer)
    control[Byte.serverLive] = Live.connected
    const memory = {
      // As soon as bytes were moved there are others.
      copy: () => {
        words[Word.rightProducer] += 1
        words[Word.leftConsumer] = words[Word.leftProducer]
      },
    }
    words[Word.rightProducer] = 1
    const ring = new Uint8Array(1024)
    const endpoint = new Endpoint(machine, {
      name: 'test',
      side: clientSide,
      control,
      release: () => {},
      reader: new RingReader(memory, ring, words, Word.rightProducer, Word.rightConsumer),
      writer: new RingWriter(memory, ring, words, Word.leftProducer, Word.leftConsumer),
      channel: { notify: () => {}, connected: true } as never,
      warnings: undefined as never,
    })
    let fired = false
    machine.timers.set(0, () => {
      fired = true
    })
    let moved = 0
    await xen.run(async () => {
      for (; moved < 5000 && !fired; moved++) await (what === 'read' ? endpoint.read(1) : endpoint.write(Uint8Array.of(1)))
    })
    t.true(fired)
    t.true(moved > 100 && moved < 1000, `${moved} in a turn`)
    // And it goes on in the next.
    await xen.run(async () => {
      for (let i = 0; i < 1000; i++) await (what === 'read' ? endpoint.read(1) : endpoint.write(Uint8Array.of(1)))
    })
    endpoint.close()
    xen.assertNoLeaks()
  })
}
