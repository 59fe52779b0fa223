/** What takes too long in the guest's engine: the simulation's memory is slow there. */
import test from 'ava'
import { end, setUp, streamBothWays } from './testing.ts'
import '@xen-ts/drivers/sim/leak-check'

test('streams both ways at once through the largest rings', t => streamBothWays(t, 1 << 20, 1 << 20))

test('several hundred channels are open at once', async t => {
  const set = setUp()
  const count = 200
  const channels = await set.xen.run(
    Promise.all(
      Array.from({ length: count }, async (_, port) =>
        Promise.all([
          set.server.channels.serve(2, 1000 + port, { readSize: 1024, writeSize: 2048 }),
          set.client.channels.connect(1, 1000 + port),
        ]),
      ),
    ),
  )
  await set.xen.run(
    Promise.all(
      channels.map(async ([a, b], port) => {
        await b.write(Uint8Array.of(port))
        t.deepEqual(await a.read(), Uint8Array.of(port))
      }),
    ),
  )
  await end(set.xen, ...channels.flat())
})
