/** Keys of a server that was killed: nobody is there, and perhaps nobody comes. */
import test from 'ava'
import { ChannelClosedError } from './index.ts'
import { end, setUp } from './testing.ts'
import '@xen-ts/drivers/sim/leak-check'

/** As a program leaves them that had no time to take them back. */
async function leaveKeys({ xen, server }: ReturnType<typeof setUp>): Promise<void> {
  await xen.run(
    server.xenstore.transaction(async view => {
      for (const [name, value] of [
        ['ring-ref', '9'],
        ['event-channel', '77'],
      ]) {
        const path = `data/vchan/2/512/${name}`
        await view.write(path, value)
        await view.setPermissions(path, { owner: 1, others: 'none', peers: [{ domid: 2, access: 'read' }] })
      }
    }),
  )
}

const warnings = ({ client }: ReturnType<typeof setUp>): string[] =>
  client.domain.log.filter(({ level }) => level === 'warn').map(({ text }) => text)

test('who has a limit for a dead server is told when it is over, and nobody is warned', async t => {
  const set = setUp()
  const { xen, server, client } = set
  await leaveKeys(set)
  const connecting = client.channels.connect(1, 512, { deadServer: 8000 })
  connecting.catch(() => {})
  await xen.advance(7900)
  t.is(await Promise.race([connecting.catch(() => 'over'), Promise.resolve('waiting')]), 'waiting')
  await xen.advance(200)
  await t.throwsAsync(connecting, { instanceOf: ChannelClosedError, message: /vchan 1:512: the server that published its keys is dead/ })
  t.deepEqual(warnings(set), [])
  await xen.run(server.xenstore.remove('data/vchan'))
  await end(xen)
})

test('the limit begins with the dead server: who finds none waits', async t => {
  const set = setUp()
  const { xen, server, client } = set
  const connecting = client.channels.connect(1, 512, { deadServer: 8000 })
  await xen.advance(60_000)
  const [a, b] = await xen.run(Promise.all([server.channels.serve(2, 512, { readSize: 4096, writeSize: 4096 }), connecting]))
  await end(xen, a, b)
  t.pass()
})

test('another server in time is connected to', async t => {
  const set = setUp()
  const { xen, server, client } = set
  await leaveKeys(set)
  const connecting = client.channels.connect(1, 512, { deadServer: 8000 })
  await xen.advance(7000)
  const [a, b] = await xen.run(Promise.all([server.channels.serve(2, 512, { readSize: 4096, writeSize: 4096 }), connecting]))
  await xen.advance(10_000)
  await xen.run(a.write(Uint8Array.of(7)))
  t.deepEqual(await xen.run(b.read()), Uint8Array.of(7))
  await end(xen, a, b)
})

test('without a limit it waits for ever, and says so once', async t => {
  const set = setUp()
  const { xen, server, client } = set
  await leaveKeys(set)
  const abort = new AbortController()
  const connecting = client.channels.connect(1, 512, { signal: abort.signal })
  await xen.advance(200_000)
  t.is(warnings(set).length, 1)
  abort.abort(new Error('enough'))
  await t.throwsAsync(xen.run(connecting), { message: 'enough' })
  await xen.run(server.xenstore.remove('data/vchan'))
  await end(xen)
})
