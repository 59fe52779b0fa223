import { runs } from '@xen-ts/boot/fuzz'
import test from 'ava'
import fc from 'fast-check'
import { FREE, LargeFrames, MAX_FRAME, RESERVED, TxFrame } from './frames.ts'
import type { Transmitter } from './tx.ts'

const PAGE = 4096

const area = (pages: number): LargeFrames => {
  const bytes = new Uint8Array(pages * PAGE)
  return new LargeFrames(
    Array.from(
      { length: pages },
      (_, page) => new TxFrame(undefined as unknown as Transmitter, page, page, bytes.subarray(page * PAGE), true),
    ),
  )
}

test('property: large frames never share a page, are found as long as there is room, and the room comes back', t => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.array(fc.tuple(fc.integer({ min: 1, max: MAX_FRAME }), fc.nat(5)), { maxLength: 100 }),
      (pages, steps) => {
        const frames = area(pages)
        const held: TxFrame[] = []
        for (const [length, release] of steps) {
          const { largest } = frames
          const frame = frames.take(length)
          if ((frame !== undefined) !== length <= largest) throw new Error(`${length} bytes, at most ${largest}: ${frame}`)
          if (frame !== undefined) {
            if (frame.state !== FREE || frame.room < length || frame.u8.length < length)
              throw new Error('a frame that is in use, or too small')
            frame.state = RESERVED
            held.push(frame)
          }
          const taken = held.flatMap(({ page, room }) => Array.from({ length: Math.ceil(room / PAGE) }, (_, i) => page + i))
          if (new Set(taken).size !== taken.length || taken.some(page => page >= pages)) throw new Error(`pages ${taken}`)
          for (let i = 0; i < release && held.length > 0; i++) {
            held.splice(length % held.length, 1)[0].state = FREE // not in order
            frames.release()
          }
        }
        for (const frame of held) frame.state = FREE
        frames.release()
        return frames.isUnused && frames.largest === Math.min(pages * PAGE, MAX_FRAME)
      },
    ),
    runs(),
  )
  t.pass()
})
