/** A qube is shut down while dom0 is inside of its services: every caller has an exit code, soon. Times are printed, not judged. */
import type { CallResult } from '@xen-ts/rig/dom0'
import test, { type ExecutionContext } from 'ava'
import { XenTests } from './harness.ts'
import { type Qube, startQube } from './qube.ts'

const xen = new XenTests(test)

interface Seen extends CallResult {
  /** Milliseconds from the shutdown request to the end of the call. */
  readonly after: number
}

/** Calls of services, in the middle of which the qube is asked to shut down. */
async function shutDownInside(t: ExecutionContext, qube: Qube, services: readonly string[]): Promise<Record<string, Seen>> {
  let asked = 0
  const input = async function* () {
    yield Buffer.from('half')
    await new Promise(() => {})
  }
  const results = services.map(async service => {
    const begun = Promise.withResolvers<void>()
    const call = qube.qubes.call(service, { input: input(), onStdout: () => begun.resolve() })
    call.catch(begun.reject)
    await begun.promise
    return async () => [service, { ...(await call), after: performance.now() - asked }] as const
  })
  const calls = await Promise.all(results)
  asked = performance.now()
  await qube.domain.shutdown()
  const seen = Object.fromEntries(await Promise.all(calls.map(call => call())))
  const { reason, lines } = await qube.ended
  t.is(reason, 'poweroff', lines.slice(-20).join('\n'))
  t.log(`the end after ${(performance.now() - asked).toFixed(0)} ms`)
  for (const [service, { code, after }] of Object.entries(seen)) t.log(`${service}: code ${code} after ${after.toFixed(0)} ms`)
  return seen
}

const start = async (t: ExecutionContext): Promise<Qube> => {
  const qube = await startQube(xen, t, './programs/ending.ts', { seconds: 120, vif: false })
  await qube.line(/ready/)
  return qube
}

test.serial('a service that tidies up for 1.5 s, and one that waits for input', async t => {
  const seen = await shutDownInside(t, await start(t), ['my.Tidy', 'my.Echo'])
  t.is(`${seen['my.Tidy'].code} ${seen['my.Tidy'].stdout}`, '7 begun, tidied up')
  t.is(`${seen['my.Echo'].code} ${seen['my.Echo'].stdout}`, '1 half')
})

test.serial('a service that does not end', async t => {
  const qube = await start(t)
  const seen = await shutDownInside(t, qube, ['my.Stubborn', 'my.Echo'])
  t.is(`${seen['my.Stubborn'].code} ${seen['my.Stubborn'].stdout}`, '125 begun')
  t.is(seen['my.Echo'].code, 1)
  t.true(qube.lines.some(line => /WRN \[qrexec\] service my\.Stubborn for dom0 did not end/.test(line)))
})
