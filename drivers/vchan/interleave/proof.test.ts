/** That the tools of this folder find what they are for: drivers with the classical mistakes, made for this test, are caught. */

import { EventChannels, ForeignPages, GrantTable, SharedPages } from '@xen-ts/drivers'
import { findDoubleFetches, interleave, SimulatedXen, watchMemory } from '@xen-ts/drivers/sim'
import test from 'ava'
import { RingReader, RingWriter } from '../ring.ts'
import '@xen-ts/drivers/sim/leak-check'

watchMemory()

const CONSUMER = 0
const PRODUCER = 1
const SLEEPING = 8
const RING = 1024

/** A ring of domain 1 in half a page, read by domain 2: as simple as it can be. */
const setUp = (seed: number) => {
  const xen = new SimulatedXen({ seed })
  const writer = xen.createDomain(1)
  const reader = xen.createDomain(2)
  const pages = new SharedPages(writer.machine, new GrantTable(writer.machine), 1, 2, false, 'test')
  const foreign = new ForeignPages(reader.machine, 1, pages.refs, false, 'test')
  const ring = (bytes: Uint8Array): [Uint8Array, Uint32Array] => [bytes.subarray(1024, 1024 + RING), new Uint32Array(bytes.buffer)]
  const [out, outWords] = ring(pages.bytes)
  const [into, intoWords] = ring(foreign.bytes)
  const release = (): void => {
    foreign.release()
    pages.release()
  }
  return {
    xen,
    writer,
    reader,
    pages,
    foreign,
    release,
    put: new RingWriter(writer.abi, out, outWords, PRODUCER, CONSUMER),
    data: into,
    words: intoWords,
  }
}
type Set = ReturnType<typeof setUp>

interface Reader {
  available(): number
  take(into: Uint8Array, offset: number, length: number): void
}

const careful = ({ reader, data, words }: Set): Reader => new RingReader(reader.abi, data, words, PRODUCER, CONSUMER)

/** Looks at the peer's index once to check it, and once more to use it. */
const careless = ({ reader: { abi }, data, words }: Set): Reader => ({
  available: () => {
    const position = words[CONSUMER]
    if ((words[PRODUCER] - position) >>> 0 > RING) return -1
    return (words[PRODUCER] - position) >>> 0
  },
  take: (into, offset, length) => {
    abi.copy(into, offset, data, words[CONSUMER] & (RING - 1), length)
    abi.fence()
    words[CONSUMER] += length
  },
})

/** Reads 50 times what is there, from a peer that changes what is about to be read. Returns whether the reader ever went wrong. */
const underAttack = (make: (set: Set) => Reader, seed: number): { broke: boolean; fetchedTwice: boolean } => {
  const set = setUp(seed)
  interleave(set.xen, { seed, victim: set.reader, mutateEvery: 3 })
  const found = findDoubleFetches(set.xen, set.reader)
  const ring = make(set)
  try {
    for (let i = 0; i < 50; i++) {
      const length = ring.available()
      if (length < 0) break // corrupt, and noticed
      if (length > RING) return { broke: true, fetchedTwice: found.length > 0 }
      ring.take(new Uint8Array(length), 0, Math.min(length, RING - 1))
      set.reader.abi.fence() // as before a look whether the peer sleeps
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return { broke: true, fetchedTwice: found.length > 0 }
  } finally {
    set.release()
  }
  return { broke: false, fetchedTwice: found.length > 0 }
}

test('a ring that reads an index twice is broken by a peer that changes it in between, and reported as a double fetch', t => {
  const runs = Array.from({ length: 100 }, (_, seed) => underAttack(careless, seed))
  t.true(runs.filter(({ broke }) => broke).length > 10)
  t.true(runs.filter(({ fetchedTwice }) => fetchedTwice).length > 50)
})

test('the ring of vchan, which reads it once, is neither', t => {
  for (let seed = 0; seed < 100; seed++) t.deepEqual(underAttack(careful, seed), { broke: false, fetchedTwice: false })
})

/** Sends 40 bytes, one at a time, to a reader that sleeps when there is nothing; which goes to sleep as `lookAgain` says. */
const wakesUp = async (seed: number, lookAgain: boolean): Promise<boolean> => {
  const set = setUp(seed)
  const { xen, writer, reader, put } = set
  let received = 0
  const ring = careful(set)
  const inbound = new EventChannels(reader.machine)
  const outbound = new EventChannels(writer.machine).allocUnbound(2, 'test', () => {})
  const bound = inbound.bindInterdomain(1, outbound.port, 'test', () => {
    for (;;) {
      const length = ring.available()
      ring.take(new Uint8Array(length), 0, length)
      received += length
      if (length > 0) continue
      reader.abi.or8(set.foreign.bytes, SLEEPING, 1)
      if (!lookAgain || ring.available() === 0) return
    }
  })
  interleave(xen, { seed, every: 2 })
  for (let i = 0; i < 40; i++) {
    xen.enqueue(() => {
      put.put(Uint8Array.of(i), 0, 1)
      if (writer.abi.and8(set.pages.bytes, SLEEPING, 0) === 1) outbound.notify()
    }, writer)
  }
  await xen.settle()
  bound.close()
  outbound.close()
  set.release()
  return received === 40
}

test('a reader that does not look again before it sleeps hangs in some order of things; one that does, in none', async t => {
  let hung = 0
  for (let seed = 1; seed <= 100; seed++) {
    t.true(await wakesUp(seed, true), `seed ${seed}`)
    if (!(await wakesUp(seed, false))) hung++
  }
  t.log(`${hung} of 100 hang`)
  t.true(hung > 0)
})

test('a watched array is an array: its methods, types and errors are those of any other', t => {
  const { foreign, pages, xen } = setUp(1)
  const seen: string[] = []
  xen.watchers.push(({ kind, operation, offset, length }) => {
    if (kind !== 'order') seen.push(`${kind} ${operation} ${offset} ${length}`)
  })
  t.true(foreign.bytes instanceof Uint8Array)
  t.is(foreign.bytes.length, 4096)
  foreign.bytes.set([1, 2, 3], 10)
  t.deepEqual([...foreign.bytes.subarray(10, 13)], [1, 2, 3])
  const words = new Uint32Array(foreign.bytes.buffer, 8, 4)
  words[1] = words[0] + 1
  foreign.bytes.fill(0, 0, 4096)
  t.deepEqual(seen, ['write store 10 3', 'read load 10 3', 'read load 8 4', 'write store 12 4', 'write store 0 4096'])
  t.is(new Uint8Array(4).fill(7)[2], 7) // arrays that nobody shares are not watched
  const { bytes } = foreign
  foreign.release()
  t.throws(() => bytes[0], { message: /simulated page fault: memory is read that was given back/ })
  t.throws(
    () => {
      bytes[0] = 1
    },
    { message: /simulated page fault/ },
  )
  pages.release()
})
