/** Peers that leave while nothing is on its way: what a program made wait for them is told, not left waiting. */
import { message } from '@xen-ts/rig/dom0'
import { ReadableStream } from '@xen-ts/runtime/web'
import test, { type ExecutionContext } from 'ava'
import type { Input } from './input.ts'
import { DOMID, setUp, tick, u32, victim } from './testing.ts'

/** Gives `first`, then says nothing; `reasons` gets what it is cancelled with. */
function idle(reasons: unknown[], first?: Uint8Array) {
  return new ReadableStream<Uint8Array>({
    start(controller) {
      if (first !== undefined) controller.enqueue(first)
    },
    cancel: reason => void reasons.push(reason),
  })
}

/** Waits for it, but not for the 10 s (200 ms here) after which a service is given up anyway. */
async function soon(t: ExecutionContext, condition: () => boolean): Promise<void> {
  for (let i = 0; i < 10 && !condition(); i++) await tick()
  t.true(condition())
}

test('a caller that goes away cancels what its output comes from', async t => {
  const { agent, daemon } = setUp()
  const reasons: unknown[] = []
  const ended: unknown[] = []
  agent.service('streams', async ({ stdout, stderr, signal }) => {
    signal.addEventListener('abort', () => ended.push(signal.reason))
    const pipes = [stdout, stderr].map(writer => idle(reasons, Uint8Array.of(1)).pipeTo(writer as never))
    for (const result of await Promise.allSettled(pipes)) ended.push((result as PromiseRejectedResult).reason)
  })
  const caller = new AbortController()
  let got = 0
  const call = daemon.call('streams', { signal: caller.signal, onStdout: () => got++, onStderr: () => got++ })
  while (got < 2) await tick()
  t.deepEqual(reasons, [])
  caller.abort()
  await t.throwsAsync(call)
  await soon(t, () => ended.length === 3)
  for (const error of [...reasons, ...ended] as Error[])
    t.deepEqual([error.name, error.message], ['ChannelClosedError', 'the caller has gone'])
  t.is(reasons.length, 2)
  await daemon.idle()
})

test("and a call whose output is piped to the caller's is given up, its port given back", async t => {
  const { agent, daemon } = setUp({ policy: () => () => new Promise(() => {}) })
  let ended: unknown
  agent.service('relay', async ({ stdout }) => {
    await agent
      .call('dom0', 'silent')
      .stdout.pipeTo(stdout)
      .catch(error => {
        ended = error
      })
  })
  const caller = new AbortController()
  const call = daemon.call('relay', { signal: caller.signal })
  while (daemon.portsInUse.length < 2) await tick()
  await tick()
  caller.abort()
  await t.throwsAsync(call)
  await soon(t, () => ended !== undefined)
  await daemon.idle()
})

/** A daemon by hand that allows one call, whose service reads what comes at first and ends with exit code 7. */
async function ending(t: ExecutionContext, input: Input): Promise<void> {
  const { hub, agent, running } = victim()
  const dom0 = hub.channels(0)
  const control = await dom0.connect(DOMID, 512)
  await control.readExactly(12)
  await control.write(message(0x300, u32(3)))
  const ended = agent.call('dom0', 'x', input).wait()
  const ident = (await control.readExactly(8 + 96 + 2))!.slice(8 + 64, 8 + 96)
  await control.write(message(0x202, Buffer.concat([u32(0), u32(513), ident])))
  const data = await dom0.connect(DOMID, 513)
  await data.readExactly(12)
  await data.write(message(0x300, u32(3)))
  t.is((await data.readExactly(9))![8], 1, 'the first piece of the input')
  await data.write(message(0x193, u32(7)))
  t.deepEqual(await ended, { code: 7, stderr: '' })
  await tick()
  agent.close()
  await running
}

test('a service that ends cancels the input that nobody wants any more', async t => {
  const reasons: unknown[] = []
  await ending(t, idle(reasons, Uint8Array.of(1)) as unknown as Input)
  t.is(reasons.length, 1)
  let returned = 0
  let given = false
  await ending(t, {
    [Symbol.asyncIterator]: () => ({
      next() {
        if (given) return new Promise(() => {})
        given = true
        return Promise.resolve({ done: false, value: Uint8Array.of(1) })
      },
      async return() {
        returned++
        return { done: true, value: undefined }
      },
    }),
  })
  t.is(returned, 1)
})

test('so does a call that is refused, and one that is closed', async t => {
  const { agent, daemon } = setUp({ policy: ({ service }) => (service === 'no' ? 'no' : () => new Promise(() => {})) })
  await daemon.connected()
  const reasons: unknown[] = []
  await t.throwsAsync(agent.call('dom0', 'no', idle(reasons) as unknown as Input).wait(), { name: 'QrexecRefusedError' })
  await tick()
  t.is(reasons.length, 1)
  const call = agent.call('dom0', 'yes', idle(reasons) as unknown as Input)
  while (daemon.portsInUse.length === 0) await tick()
  await tick()
  call.close()
  await tick()
  t.is(reasons.length, 2)
  await daemon.idle()
})

test('whoever made the agent learns that the program serves', t => {
  const { agent } = victim()
  let times = 0
  agent.onService = () => times++
  agent.service('my.Service', () => {})
  t.throws(() => agent.service('my+Service', () => {}))
  t.is(times, 1)
})
