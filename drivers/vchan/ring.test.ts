import { runs } from '@xen-ts/boot/fuzz'
import test from 'ava'
import fc from 'fast-check'
import { areValid, chooseOrders, MAX_RING_SIZE, ringBytes, ringPages } from './layout.ts'
import { CORRUPT, distance, RingReader, RingWriter } from './ring.ts'

const memory = {
  copy: (into: Uint8Array, intoOffset: number, from: Uint8Array, fromOffset: number, length: number) =>
    into.set(from.subarray(fromOffset, fromOffset + length), intoOffset),
}

test('orders are chosen as libxenvchan does', t => {
  const cases: [number, number, number, number][] = [
    [1, 1, 10, 11],
    [1024, 2048, 10, 11],
    [2048, 1024, 11, 10],
    [128, 8192, 11, 13],
    [8192, 128, 13, 11],
    [2048, 2048, 11, 12],
    [4096, 4096, 12, 12],
    [65536, 65536, 16, 16],
    [4097, 2049, 13, 12],
    [MAX_RING_SIZE, MAX_RING_SIZE, 20, 20],
  ]
  for (const [readSize, writeSize, left, right] of cases) {
    t.deepEqual(chooseOrders(readSize, writeSize), { left, right })
    t.true(areValid({ left, right }))
  }
  for (const size of [0, -1, 1.5, NaN, MAX_RING_SIZE + 1]) t.throws(() => chooseOrders(size, 1), { instanceOf: RangeError })
})

test('orders a client must refuse', t => {
  for (const [left, right] of [
    [0, 0],
    [9, 12],
    [12, 9],
    [10, 10],
    [11, 11],
    [21, 12],
    [12, 65535],
  ])
    t.false(areValid({ left, right }))
  t.true(areValid({ left: 10, right: 12 }))
})

test('in-page rings lie where the header says', t => {
  const control = new Uint8Array(4096)
  t.deepEqual([ringBytes(control, undefined, 10).byteOffset, ringBytes(control, undefined, 10).length], [1024, 1024])
  t.deepEqual([ringBytes(control, undefined, 11).byteOffset, ringBytes(control, undefined, 11).length], [2048, 2048])
  t.deepEqual([10, 11, 12, 16, 20].map(ringPages), [0, 0, 1, 16, 256])
})

test('property: what goes in comes out, in order, wherever the indices start', t => {
  fc.assert(
    fc.property(fc.nat(0xffffffff), fc.array(fc.nat(1500), { maxLength: 60 }), (start, steps) => {
      const data = new Uint8Array(1024)
      const words = Uint32Array.of(start, start) // consumer, producer
      const writer = new RingWriter(memory, data, words, 1, 0)
      const reader = new RingReader(memory, data, words, 1, 0)
      let sent = 0
      let received = 0
      for (const step of steps) {
        const count = Math.min(step, writer.space())
        writer.put(
          Uint8Array.from({ length: count }, (_, i) => sent + i),
          0,
          count,
        )
        sent += count
        if (reader.available() + writer.space() !== 1024) return false
        const taken = Math.min(reader.available(), step >> 1)
        const into = new Uint8Array(taken)
        reader.take(into, 0, taken)
        for (let i = 0; i < taken; i++) if (into[i] !== ((received + i) & 255)) return false
        received += taken
      }
      return sent - received === reader.available()
    }),
    runs(),
  )
  t.pass()
})

test('property: an index of the peer is either possible or corrupt, never a length beyond the ring', t => {
  fc.assert(
    fc.property(fc.nat(0xffffffff), fc.nat(0xffffffff), fc.integer({ min: 10, max: 20 }), (producer, consumer, order) => {
      const bytes = distance(producer, consumer, 2 ** order)
      return bytes === CORRUPT || (bytes >= 0 && bytes <= 2 ** order && (consumer + bytes) >>> 0 === producer)
    }),
    runs(),
  )
  t.pass()
})

test('an end does not believe what the peer does to its own index', t => {
  const words = Uint32Array.of(0, 0)
  const data = new Uint8Array(1024)
  const writer = new RingWriter(memory, data, words, 1, 0)
  writer.put(Uint8Array.of(1, 2, 3), 0, 3)
  words[1] = 500
  writer.put(Uint8Array.of(4), 0, 1)
  t.is(words[1], 4)
  t.deepEqual([...data.subarray(0, 4)], [1, 2, 3, 4])
})
