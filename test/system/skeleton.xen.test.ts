/** examples/skeleton as a qube on real Xen: addresses, settings, calls in and out, and a shutdown in the middle of calls. */
import { randomBytes } from 'node:crypto'
import { type CallResult, policyOf } from '@xen-ts/rig/dom0'
import { installNetworkTools } from '@xen-ts/rig/xen'
import test from 'ava'
import { XenTests } from './harness.ts'
import { type Qube, startQube } from './qube.ts'

const xen = new XenTests(test)
const skeleton = '../../examples/skeleton'
const source = { name: 'skeleton', type: 'StandaloneVM' }

let qube: Qube

test.serial.before('the skeleton runs', async t => {
  // 100 calls at once are 3,300 pages of other domains.
  qube = await startQube(xen, t, skeleton, { memory: 64, seconds: 480, keep: true })
  await qube.line(/dom0 says it is/)
})
test.after.always('the skeleton ends', async () => {
  await qube?.domain.destroy()
})

/** Calls of the echo that have echoed something and wait for more input, until `end`. The rig's dom0 makes a few vchans at a time. */
async function openCalls(count: number): Promise<{ results: Promise<CallResult>[]; end: () => void }> {
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  const input = async function* (text: string) {
    yield Buffer.from(text)
    await ended
  }
  const results: Promise<CallResult>[] = []
  const opener = async () => {
    while (results.length < count) {
      const index = results.length
      await new Promise<void>((resolve, reject) => {
        const call = qube.qubes.call(`xen-ts.Echo+${index}`, { input: input(`call ${index}`), onStdout: () => resolve() })
        results.push(call)
        call.catch(reject)
      })
    }
  }
  await Promise.all(Array.from({ length: 2 }, opener))
  return { results, end }
}

const warnings = ({ lines }: Qube) => lines.filter(line => / (ERR|WRN) /.test(line))

test.serial('it knows its addresses from QubesDB, no name server answers, and dom0 tells the date under the usual policy', async t => {
  await qube.line(/\[skeleton\] skeleton is 10\.137\.0\.16, its gateway 10\.137\.0\.1$/)
  await qube.line(/WRN \[skeleton\] the network does not work: cannot resolve www\.qubes-os\.org/)
  const said = /dom0 says it is (.*)$/.exec(await qube.line(/dom0 says it is/))![1]
  t.regex(said, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$/)
  // The date is that of this machine, not one of the emulated machine's own.
  t.true(Math.abs(Date.parse(said) - Date.now()) < 600_000, said)
  t.true(qube.dom0.includes('qrexec: qubes.GetDate to @default: allowed'), qube.dom0.join('\n'))
})

test.serial('a call from dom0: input, output, errors and exit code', async t => {
  const input = randomBytes(300_000)
  const call = await qube.qubes.call('xen-ts.Echo+3', { input })
  t.is(call.code, 3)
  t.true(input.equals(call.stdout))
  t.is(call.stderr.length, 0)
  const wrong = await qube.qubes.call('xen-ts.Echo+x', { input: 'still echoed', source: 'work' })
  t.is(wrong.code, 1)
  t.is(wrong.stdout.toString(), 'still echoed')
  t.is(wrong.stderr.toString(), "'x' is no exit code: a number from 0 to 255 is\n")
  t.is((await qube.qubes.call('xen-ts.Echo', { justExec: true })).code, 0)
})

test.serial('settings changed in dom0 arrive while it runs', async t => {
  qube.qubes.db.write('/vm-config/greeting', 'Servus')
  await qube.line(/\/vm-config\/greeting is Servus now/)
  qube.qubes.db.rm('/vm-config/greeting')
  await qube.line(/\/vm-config\/greeting is gone now/)
  t.pass()
})

test.serial('100 calls at once, each with an answer of its own; all ports are given back', async t => {
  t.timeout(300_000)
  const start = performance.now()
  const { results, end } = await openCalls(100)
  t.is(qube.qubes.qrexec.portsInUse.length, 100)
  end()
  const calls = (await Promise.all(results)).map(({ code, stdout }) => ({ code, text: stdout.toString() }))
  t.log(`${((performance.now() - start) / 1000).toFixed(1)} s`)
  t.deepEqual(
    calls,
    Array.from({ length: 100 }, (_, index) => ({ code: index, text: `call ${index}` })),
  )
  await qube.qubes.qrexec.idle()
  t.deepEqual(qube.qubes.qrexec.portsInUse, [])
})

test.serial("dom0's daemons start again: calls and settings go on", async t => {
  const before = qube.lines.length
  qube.qubes.qrexec.disconnect()
  qube.qubes.db.disconnect()
  while (qube.lines.slice(before).filter(line => /\[(qrexec|qubesdb)\] connected/.test(line)).length < 2)
    await new Promise(resolve => setTimeout(resolve, 50))
  t.is((await qube.qubes.call('xen-ts.Echo+9', { input: 'again' })).code, 9)
  qube.qubes.db.write('/vm-config/greeting', 'Grüezi')
  await qube.line(/greeting is Grüezi now/)
})

test.serial('xl shutdown with 20 calls open is obeyed (the time is printed), and the callers are told', async t => {
  const { results } = await openCalls(20)
  const known = warnings(qube).length
  const start = performance.now()
  await qube.domain.shutdown()
  const { reason, lines } = await qube.ended
  t.log(`${(performance.now() - start).toFixed(0)} ms`)
  t.is(reason, 'poweroff', lines.slice(-20).join('\n'))
  t.deepEqual(warnings(qube).slice(known), [])
  // The echo waits for input that does not come: it is told so.
  for (const result of results) t.is((await result).code, 1)
  t.notRegex(await xen.rig.must('xl list'), /null/)
})

test.serial('under a policy that denies, and with a gateway that is not there, it says so and goes on', async t => {
  const policy = policyOf({
    source,
    policy: 'qubes.GetDate +nanoseconds @anyvm @default allow target=dom0\nqubes.GetDate * @anyvm @anyvm deny\n',
    file: '30-user.policy',
  })
  const denied = await startQube(xen, t, skeleton, { seconds: 120, dom0: { policy, keys: [['/qubes-gateway', '10.137.0.99']] } })
  await denied.line(/its gateway 10\.137\.0\.99/)
  await denied.line(/WRN \[skeleton\] the network does not work: cannot resolve www\.qubes-os\.org/)
  await denied.line(/WRN \[skeleton\] dom0 does not tell the date: dom0 refused qubes\.GetDate in @default/)
  t.true(denied.dom0.includes('qrexec: qubes.GetDate to @default: denied, denied by 30-user.policy:2'), denied.dom0.join('\n'))
  t.is((await denied.qubes.call('xen-ts.Echo+4', { input: '' })).code, 4)
  await denied.domain.shutdown()
  t.is((await denied.ended).reason, 'poweroff')
})

test.serial('a name is looked up and a connection made, through the gateway; one that is refused is told', async t => {
  t.timeout(600_000)
  await installNetworkTools(xen.rig, { log: text => t.log(text) })
  await xen.rig.must('ip addr add 10.139.1.1/32 dev lo; ip addr add 10.138.9.9/32 dev lo')
  const options =
    '--conf-file=/dev/null --user=root --group=root --no-hosts --no-resolv --local=/lan/ --listen-address=10.139.1.1 --bind-interfaces'
  const names = await xen.rig.spawn(`exec /opt/bin/dnsmasq --keep-in-foreground ${options} --host-record=there.lan,10.138.9.9`)
  t.teardown(() => names.destroy())
  const server = await xen.rig.spawn('exec nc -ll -p 8000 -e /bin/true')
  t.teardown(() => server.destroy())
  const served = await startQube(xen, t, skeleton, { args: 'host=there.lan port=8000', seconds: 120 })
  await served.line(/INF \[skeleton\] there\.lan is 10\.138\.9\.9$/)
  await served.line(/INF \[skeleton\] 10\.138\.9\.9 takes connections to port 8000$/)
  await served.line(/dom0 says it is/)
  await served.domain.shutdown()
  const { reason } = await served.ended
  t.is(reason, 'poweroff')
  t.deepEqual(warnings(served), [])

  const refused = await startQube(xen, t, skeleton, { args: 'host=there.lan port=8001', seconds: 120 })
  await refused.line(/WRN \[skeleton\] the network does not work: connection to 10\.138\.9\.9:8001 was refused/)
  await refused.domain.shutdown()
  t.is((await refused.ended).reason, 'poweroff')
})
