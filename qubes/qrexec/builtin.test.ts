import test from 'ava'
import { setUp, text } from './testing.ts'

for (const [name, code, stderr] of [
  ['qubes.WaitForSession', 0, /^$/],
  ['qubes.SetMonitorLayout', 0, /^$/],
  ['qubes.SuspendPre', 0, /^$/],
  ['qubes.SuspendPreAll', 0, /^$/],
  ['qubes.SuspendPost', 0, /^$/],
  ['qubes.SuspendPostAll', 0, /^$/],
  ['qubes.WaitForRunningSystem', 0, /^$/],
  ['qubes.WaitForNetworkUplink', 0, /^$/],
  ['qubes.VMShell', 126, /^this qube is a unikernel.*\n$/],
  ['qubes.VMShell+WaitForSession', 126, /unikernel/],
  ['qubes.VMExec+ls-2D-2Dla', 126, /unikernel/],
  ['xen-ts.Counters', 127, /^this qube has no service xen-ts.Counters\n$/],
  ['my.Unknown+arg', 127, /^this qube has no service my.Unknown\n$/],
] as const) {
  test(`built in: ${name} ends with ${code}`, async t => {
    const { daemon } = setUp()
    const result = text(await daemon.call(name, { input: 'user' }))
    t.is(result.code, code)
    t.is(result.stdout, '')
    t.regex(result.stderr, stderr)
    await daemon.idle()
  })
}

test("a program's own service takes the place of a built-in one", async t => {
  const { agent, daemon } = setUp()
  agent.service('qubes.VMShell', () => 3)
  t.is((await daemon.call('qubes.VMShell')).code, 3)
})

test('shell commands are refused, malformed command lines are a problem of qrexec', async t => {
  const { daemon } = setUp()
  t.is((await daemon.command('ls -la')).code, 126)
  t.is((await daemon.command('nogui:ls')).code, 126)
  t.is((await daemon.command('QUBESRPC')).code, 126)
  t.is((await daemon.command('QUBESRPC ')).code, 125)
  t.is((await daemon.command('QUBESRPC xen-ts.Echo')).code, 125)
  t.is((await daemon.command('nogui:QUBESRPC xen-ts.Echo work name dom0', { input: '' })).code, 0)
})
