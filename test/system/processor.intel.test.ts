/**
 * The images of the other system tests on an Intel CPU, which most Qubes machines have: Xen 4.17 with VMX and EPT instead of SVM and
 * nested paging, emulated by Bochs. One machine for all, since each start takes a while.
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeImage } from '@xen-ts/boot/testing'
import { byteChannel } from '@xen-ts/rig/xen'
import test from 'ava'
import { XenTests } from './harness.ts'

const xen = new XenTests(test, { processor: 'intel' })
const vif = { ip: '10.137.0.16', gateway: '10.137.0.1', mac: '00:16:3e:5e:6c:00' }
const message = (line: string) => line.replace(/^.*?\[\w[^\]]*\] /, '')
const warnings = ({ lines }: { lines: readonly string[] }) => lines.filter(line => / (WRN|ERR) /.test(line))

const folder = mkdtempSync(join(tmpdir(), 'xen-ts-intel-'))
test.after.always(() => rmSync(folder, { recursive: true, force: true }))

test.serial('the machine is an Intel one: its guests run by VMX, with EPT', async t => {
  t.regex(await xen.rig.must('cat /proc/cpuinfo'), /vendor_id\s*: GenuineIntel/)
  t.regex(await xen.rig.must('xl info'), /virt_caps\s*:.*\bhvm\b.*\bhap\b/)
  t.regex(await xen.rig.must('xl dmesg'), /VMX: Supported advanced features:[^]*Extended Page Tables \(EPT\)/)
})

test.serial('hello: banner, three lines a second apart, bye, a clean end', async t => {
  const { lines, reason } = await xen.run(t, '../../examples/hello')
  t.is(reason, 'poweroff', lines.join('\n'))
  t.regex(lines[0], /^xen-ts \d+\.\d+\.\d+ \(build [0-9a-f]+\) on Xen \d\.\d+, 32 MiB, QuickJS /)
  const said = lines.filter(line => line.includes('[hello]'))
  t.deepEqual(said.map(message), ['hello 1', 'hello 2', 'hello 3', 'bye'])
  const at = said.map(line => Date.parse(`${line.slice(0, 10)}T${line.slice(11, 23)}Z`))
  for (const i of [1, 2, 3]) t.true(at[i] - at[i - 1] >= 1000, `line ${i} came ${at[i] - at[i - 1]} ms after the one before`)
})

for (const [word, said] of [
  ['abi', /^checks \d+$/],
  ['wakeups', /^1500 answers$/],
] as const) {
  test.serial(`the kernel's ABI (${word}): every check holds, no event and no timer is lost`, async t => {
    const image = join(folder, 'abi.xen')
    writeFileSync(image, (await makeImage(fileURLToPath(new URL('../../boot/kernel/fixture/abi.js', import.meta.url)))).image)
    const { lines, reason } = await (await xen.start(t, image, { args: word, seconds: 120 })).ended
    t.is(reason, 'poweroff', lines.join('\n'))
    t.deepEqual(
      lines.filter(line => line.includes('FAILED')),
      [],
    )
    t.true(
      lines.some(line => said.test(line)),
      lines.join('\n'),
    )
  })
}

for (const role of ['server', 'client'] as const) {
  test.serial(`vchan ${role}: libxenvchan gets back every byte, in order`, async t => {
    const running = await xen.start(t, await xen.image('../../examples/vchan-echo'), { args: `role=${role} port=5000`, seconds: 120 })
    const { domid } = running.domain
    const stream = role === 'server' ? await xen.rig.vchanClient(domid, 5000) : await xen.rig.vchanServer(domid, 5000, 65536, 65536)
    const channel = byteChannel(stream)
    const sent = randomBytes(100_001)
    const [back] = await Promise.all([channel.readExactly(sent.length), channel.write(sent)])
    t.true(back !== undefined && sent.equals(back))
    stream.end()
    await running.line(new RegExp(`ended 1: ${sent.length} bytes`))
    await running.domain.shutdown()
    const { lines, reason } = await running.ended
    t.is(reason, 'poweroff', lines.join('\n'))
    t.deepEqual(warnings({ lines }), [])
  })
}

const args = `ip=${vif.ip}/32 gateway=${vif.gateway} greeting=Hi`
const wget = (path: string) => xen.rig.must(`wget -q -O - http://${vif.ip}${path}`)

test.serial('the website answers wget in dom0, and goes on after it was saved and restored', async t => {
  const image = await xen.image('../../examples/website')
  const running = await xen.start(t, image, { vif, args, seconds: 240 })
  await running.line(/listening/)
  t.regex(await wget('/'), /^<!DOCTYPE html>/i)
  t.regex(await wget('/greeting'), /^Hi from /)
  const port = await xen.rig.forward(0, vif.ip, 80)
  t.regex(await (await fetch(`http://127.0.0.1:${port}/greeting`, { headers: { connection: 'close' } })).text(), /^Hi from /)

  const saved = await running.domain.save()
  t.is((await running.ended).reason, 'suspend')
  const restored = await xen.restore(t, image, saved, { seconds: 240 })
  t.not(restored.domain.domid, running.domain.domid)
  await restored.line(/\[net-xen\] vif 0: backend domain 0/)
  t.regex(await wget('/greeting'), /^Hi from /)
  await restored.domain.shutdown()
  const { lines, reason } = await restored.ended
  t.is(reason, 'poweroff', lines.join('\n'))
  t.true(lines.some(line => line.endsWith('[suspend] resumed in a new domain')))
})

test.serial('a checkpoint: the same domain goes on; its clock stood still, the wall clock did not', async t => {
  const running = await xen.start(t, await xen.image('programs/suspend.ts'), { seconds: 120 })
  await running.line(/beat 20/)
  await xen.rig.must(`rm ${(await running.domain.checkpoint()).file}`)
  const [, wall, mono] = /wall (\d+) mono (\d+)/.exec(await running.line(/jump:/))!
  t.true(Number(wall) > Number(mono), `${wall} ${mono}`)
  t.true(running.lines.some(line => line.endsWith('[suspend] resumed')))
  await running.domain.shutdown()
  const { lines, reason } = await running.ended
  t.is(reason, 'poweroff', lines.join('\n'))
})

// VMX reports each of them in its own way; the kernel's report must not differ.
for (const [fault, report] of [
  ['write-text', /write.*(kernel )?text/i],
  ['write-text-alias', /write/i],
  ['execute-data', /(fetch|execut)/i],
  ['null-read', /null page/i],
  ['null-call', /null page/i],
  ['stack-overflow', /stack/i],
  ['linear-guard', /linear memory/i],
  ['linear-stack', /linear stack guard/],
  ['engine-trap', /trap|unreachable/i],
] as const) {
  test.serial(`fault ${fault}: one readable report, reason crash`, async t => {
    const { lines, reason } = await xen.run(t, '../../examples/hello', { args: `selftest=${fault}` })
    t.is(reason, 'crash', lines.join('\n'))
    t.true(
      lines.some(line => report.test(line)),
      lines.join('\n'),
    )
    t.false(lines.some(line => line.includes('bye')))
  })
}
