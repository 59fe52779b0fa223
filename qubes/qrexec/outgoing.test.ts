import test from 'ava'
import { Hub } from '../../test/dom0/hub.ts'
import { testMachine } from '../../test/dom0/machine.ts'
import { Qrexec } from './agent.ts'
import { DOMID, setUp, tick } from './testing.ts'

const answering = setUp.bind(undefined, {
  policy: ({ service, argument, target }) => service === 'qubes.GetDate' ? (input: Buffer) => `${target} ${argument} ${input}\n`
    : service === 'fails' ? () => ({ code: 3, stdout: Buffer.from('half'), stderr: Buffer.from('went wrong\n') })
    : service === 'big' ? (input: Buffer) => ({ stdout: input }) : undefined,
})

test('outgoing calls: output, exit code, stderr', async (t) => {
  const { agent, daemon, hub } = answering()
  await daemon.connected()
  t.is(await agent.call('@default', 'qubes.GetDate+nanoseconds', 'now').text(), '@default nanoseconds now\n')
  await t.throwsAsync(agent.call('dom0', 'fails').text(), { name: 'QrexecError', message: 'fails in dom0 ended with exit code 3: went wrong' })
  const call = agent.call('dom0', 'fails')
  t.is(await call.stdout.text(), 'half')
  t.deepEqual(await call.wait(), { code: 3, stderr: 'went wrong\n' })
  await daemon.idle()
  t.deepEqual(hub.open, ['5>0:512'])
})

test('outgoing calls: 1 MiB there and back, 20 at once, protocol 2 and 3', async (t) => {
  for (const version of [2, 3] as const) {
    const { agent, daemon } = setUp({ version, policy: () => (input) => ({ stdout: input }) })
    await daemon.connected()
    const input = Buffer.alloc(1 << 20, 'abcdefg')
    t.true(Buffer.from(await agent.call('dom0', 'big', input).bytes()).equals(input))
    const texts = await Promise.all(Array.from({ length: 20 }, (_, n) => agent.call('dom0', 'big', `${n}`).text()))
    t.deepEqual(texts, Array.from({ length: 20 }, (_, n) => `${n}`))
    await daemon.idle()
  }
})

test('outgoing calls that cannot be made say why, and send nothing', async (t) => {
  const { agent, daemon, serving } = answering()
  const lonely = new Qrexec({ machine: testMachine(5000), channels: new Hub().channels(DOMID) })
  await t.throwsAsync(lonely.call('dom0', 'x').wait(), { message: /x in dom0 cannot be called: dom0's daemon did not connect within 60 s/ })
  await daemon.connected()
  await t.throwsAsync(agent.call('dom0', 'my.Forbidden').text(), { name: 'QrexecRefusedError', message: /dom0 refused my.Forbidden in dom0: look at its policy/ })
  for (const [target, service] of [['', 'x'], ['a b', 'x'], ['x'.repeat(64), 'x'], ['dom0', ''], ['dom0', '+x'], ['dom0', 'a b'], ['dom0', 'x'.repeat(65001)]]) {
    await t.throwsAsync(agent.call(target, service).wait(), { name: 'QrexecError', message: /cannot be called/ })
  }
  await daemon.idle()
  t.is(await Promise.race([serving.then(() => 'ended'), tick()]), undefined)
})

test('an outgoing call can be given up at any time; its port comes back', async (t) => {
  const { agent, daemon, hub } = answering()
  await daemon.connected()
  const early = agent.call('dom0', 'qubes.GetDate')
  early.close()
  await t.throwsAsync(early.wait(), { message: /given up/ })
  const late = agent.call('dom0', 'big', new Uint8Array(1 << 20))
  await late.stdout.read()
  late.close()
  await daemon.idle()
  await tick()
  t.deepEqual(hub.open, ['5>0:512'])
})
