import test from 'ava'
import { ChannelClosedError } from './index.ts'
import { Byte, Live, Word } from './layout.ts'
import { end, open, setUp } from './testing.ts'
import '@xen-ts/drivers/sim/leak-check'

test('a peer that breaks one channel after the other does not fill the log', async t => {
  const set = setUp()
  const { domain } = set.server
  for (let i = 0; i < 30; i++) {
    const [a, b] = await open(set)
    for (const buffer of domain.allocations.keys()) {
      if (buffer.byteLength === 4096 && new Uint8Array(buffer)[Byte.serverLive] === Live.connected)
        new Uint32Array(buffer)[Word.leftProducer] = 0x12345678
    }
    await t.throwsAsync(set.xen.run(a.read()), { instanceOf: ChannelClosedError, message: /broke the ring/ })
    b.close()
    await set.xen.advance(10)
  }
  t.is(domain.log.filter(({ level }) => level === 'warn').length, 1)
  await end(set.xen)
})
