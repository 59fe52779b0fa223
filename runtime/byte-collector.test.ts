import { runs } from '@xen-ts/boot/fuzz'
import test from 'ava'
import fc from 'fast-check'
import { ByteCollector } from './byte-collector.ts'

test('all pieces, one after another, whatever their sizes', t => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), pieces => {
      const collector = new ByteCollector()
      for (const piece of pieces) collector.push(piece.slice())
      const all = pieces.flatMap(piece => [...piece])
      return collector.length === all.length && Buffer.from(collector.take()).equals(Buffer.from(all))
    }),
    runs(),
  )
  t.pass()
})

test('nothing is nothing', t => {
  t.deepEqual(new ByteCollector().take(), new Uint8Array(0))
})
