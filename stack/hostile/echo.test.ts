/** ICMP and UDP, whose headers are read where they are dealt with: what comes back is what was sent, or nothing comes back. */
import { runs } from '@xen-ts/boot/fuzz'
import test from 'ava'
import fc from 'fast-check'
import { raw } from '../testing/raw.ts'

/** Whether the answer to one packet came, and what it carried. */
async function answers({ world, peer }: ReturnType<typeof raw>, send: () => void): Promise<Uint8Array[]> {
  peer.frames.splice(0)
  send()
  await world.run(1)
  return peer.frames.filter(bytes => bytes[13] === 0).map(bytes => Uint8Array.from(bytes))
}

async function setUp(): Promise<ReturnType<typeof raw>> {
  const all = raw()
  all.peer.arp(1)
  await all.world.run(1)
  const { udp } = all.stack
  udp.bind(7, (bytes, offset, length, from, port) => void udp.send(7, from, port, bytes.slice(offset, offset + length)))
  return all
}

const payloads = fc.uint8Array({ maxLength: 200 })
const changes = fc.option(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { nil: undefined })
type Change = [number, number] | undefined

/** Changes one byte, and leaves the checksum as it was. */
const spoil =
  (change: Change) =>
  (bytes: Uint8Array): void => {
    if (change !== undefined) bytes[change[0] % bytes.length] ^= change[1]
  }

test('ICMP: an echo carries back every byte, and none that was changed on its way', async t => {
  const all = await setUp()
  await fc.assert(
    fc.asyncProperty(payloads, changes, async (payload, change) => {
      const got = await answers(all, () => all.peer.icmp(8, 0, [1, 2, 3, 4, ...payload], spoil(change)))
      t.is(got.length, change === undefined ? 1 : 0)
      if (change === undefined) t.deepEqual(got[0].slice(34).with(2, 0).with(3, 0), Uint8Array.of(0, 0, 0, 0, 1, 2, 3, 4, ...payload))
    }),
    runs({ cost: 5 }),
  )
})

test('UDP: a datagram carries back every byte, and none that was changed on its way', async t => {
  const all = await setUp()
  await fc.assert(
    fc.asyncProperty(payloads, changes, async (payload, change) => {
      let sum = -1
      const got = await answers(all, () =>
        all.peer.udp(1234, 7, payload, datagram => {
          spoil(change)(datagram)
          sum = (datagram[6] << 8) | datagram[7]
        }),
      )
      // A sum of 0 is none: then nobody can see a change.
      if (sum === 0) return
      t.is(got.length, change === undefined ? 1 : 0)
      if (change === undefined)
        t.deepEqual(got[0].slice(34).with(6, 0).with(7, 0), Uint8Array.of(0, 7, 4, 210, 0, 8 + payload.length, 0, 0, ...payload))
    }),
    runs({ cost: 5 }),
  )
})
