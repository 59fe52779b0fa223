import test from 'ava'
import { firstLine, runScript } from './script.ts'

test('a script of dom0 knows the domain; its lines and its exit code are told', async t => {
  const told: unknown[] = []
  const rig = { exec: async (script: string) => ({ stdout: `${script.split('\n')[0]}\nlast`, stderr: 'no\n', code: 3 }) }
  const code = await runScript(rig, 7, 'true', {
    onScriptOutput: (stream, line) => told.push([stream, line]),
    onScriptEnd: code => told.push(code),
  })
  t.is(code, 3)
  t.deepEqual(told, [['stdout', 'DOMID=7'], ['stdout', 'last'], ['stderr', 'no'], 3])
})

test('it waits for the first line of the program, not of a driver or of the kernel', async t => {
  const { within, push } = firstLine('echo')
  let done = false
  const logged = within(60_000)
  void logged.then(() => {
    done = true
  })
  for (const text of ['INF [net-xen] vif 0\n', '2026-11-22 INF [ec', 'ho2]']) push(text)
  await Promise.resolve()
  t.false(done)
  push('\nINF [ec')
  push('ho] ready\n')
  await logged
  t.true(done)
})

test('it does not wait for ever: a program may say nothing', async t => {
  const { within, push } = firstLine('mute')
  push('INF [stack] 10.137.0.16/32\n')
  await within(20)
  t.pass()
})
