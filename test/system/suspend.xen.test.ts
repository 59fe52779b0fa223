/** Suspend and resume on real Xen: checkpoints, saves and restores by xl, as Qubes' sleep of the host and `xl save` do them. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { MiniQubes } from '@xen-ts/rig/dom0'
import { byteChannel, rigChannels } from '@xen-ts/rig/xen'
import test, { type ExecutionContext } from 'ava'
import { type Running, XenTests } from './harness.ts'
import { startQube } from './qube.ts'

const xen = new XenTests(test)
const vif = { ip: '10.137.0.16', gateway: '10.137.0.1', mac: '00:16:3e:5e:6c:00' }
const args = `ip=${vif.ip}/32 gateway=${vif.gateway} greeting=Hi`
/** Not how long the end took: the machine may be busy. */
const warnings = ({ lines }: { lines: readonly string[] }) =>
  lines.filter(line => / (WRN|ERR) /.test(line) && !line.includes('did not close within'))

/** The domain still obeys, and nothing was wrong all the time. */
async function shutDown(t: ExecutionContext, running: Running): Promise<void> {
  await running.domain.shutdown()
  const { reason, lines } = await running.ended
  t.is(reason, 'poweroff', lines.join('\n'))
  t.deepEqual(warnings(running), [])
}

/** Saves a domain and brings it back; gives the one that goes on. */
async function saveAndRestore(t: ExecutionContext, running: Running, image: string): Promise<Running> {
  const saved = await running.domain.save()
  const { reason, lines } = await running.ended
  t.is(reason, 'suspend', lines.join('\n'))
  t.regex(lines.at(-1)!, /\[suspend\] suspending$/)
  const again = await xen.restore(t, image, saved, { seconds: 120 })
  t.not(again.domain.domid, running.domain.domid)
  return again
}

/** Each 50 ms for a second: neither all that were missed at once nor none. */
const inRhythm = (line: string): boolean => {
  const beats = Number(/later: (\d+) beats/.exec(line)![1])
  return beats >= 2 && beats <= 21
}

const jumped = (line: string) => {
  const [, wall, mono, now, random] = /wall (\d+) mono (\d+) now (\d+) random (.*)$/.exec(line)!
  return { wall: Number(wall), mono: Number(mono), now: Number(now), random: random.split(' ') }
}

test.serial('a checkpoint: the same domain goes on; its clock stood still, the wall clock did not, timers keep their rhythm', async t => {
  const running = await xen.start(t, await xen.image('programs/suspend.ts'), { seconds: 120 })
  await running.line(/beat 20/)
  const { domid } = running.domain
  t.is((await xen.rig.must(`xenstore-read /local/domain/${domid}/control/feature-suspend`)).trim(), '1')
  const { file } = await running.domain.checkpoint()
  const { wall, mono } = jumped(await running.line(/jump:/))
  t.true(wall > mono + 500, `${wall} ${mono}`)
  t.true(inRhythm(await running.line(/a second later/)))
  t.true(running.lines.some(line => line.endsWith('[suspend] resumed')))
  t.is((await xen.rig.must(`xl domid ${running.domain.name}`)).trim(), String(domid))
  await xen.rig.must(`rm ${file}`)
  await shutDown(t, running)
})

test.serial('a sleep of the host as in Qubes: the domain is asked to suspend itself, is left so, and wakes up; again at once', async t => {
  const running = await xen.start(t, await xen.image('programs/suspend.ts'), { seconds: 120 })
  await running.line(/beat 20/)
  await running.domain.sleep(3)
  const { wall, mono } = jumped(await running.line(/jump:/))
  t.true(wall > mono + 3000, `${wall} ${mono}`)
  t.true(inRhythm(await running.line(/a second later/)))
  await running.domain.sleep(0)
  t.is(running.lines.filter(line => line.endsWith('[suspend] suspending')).length, 2)
  await shutDown(t, running)
})

test.serial('a save and two restores: time has moved, randomness differs between the two, and each is shut down as usual', async t => {
  const image = await xen.image('programs/suspend.ts')
  const running = await xen.start(t, image, { seconds: 120 })
  await running.line(/beat 20/)
  const saved = await running.domain.save()
  t.is((await running.ended).reason, 'suspend')
  const randoms: string[][] = []
  for (const pause of [3, 0]) {
    await xen.rig.must(`sleep ${pause}`)
    const again = await xen.restore(t, image, saved, { seconds: 120 })
    const { wall, mono, now, random } = jumped(await again.line(/jump:/))
    const dom0 = Number(await xen.rig.must('date +%s')) * 1000
    t.true(Math.abs(now - dom0) < 30_000, `guest ${new Date(now).toISOString()}, dom0 ${new Date(dom0).toISOString()}`)
    t.true(wall > mono + 1000 * pause, `${wall} ${mono}`)
    t.true(inRhythm(await again.line(/a second later/)))
    t.true(again.lines.some(line => line.endsWith('[suspend] resumed in a new domain')))
    randoms.push(random)
    await shutDown(t, again)
  }
  const [[bytes, math], [otherBytes, otherMath]] = randoms
  t.not(bytes, otherBytes)
  t.not(math, otherMath)
  await xen.rig.must(`rm ${saved.file}`)
})

test.serial('a live migration, to the same host: the domain runs while it is copied, and goes on as another', async t => {
  const running = await xen.start(t, await xen.image('programs/suspend.ts'), { seconds: 120 })
  await running.line(/beat 20/)
  const { name, domid } = running.domain
  t.teardown(() => xen.rig.exec(`xl destroy ${name}`))
  await xen.rig.must(`xl migrate -s '' ${name} 'xl migrate-receive -e' 2>&1`, { seconds: 120 })
  t.is((await running.ended).reason, 'suspend')
  t.not((await xen.rig.must(`xl domid ${name}`)).trim(), String(domid))
  const log = `/var/log/xen/guest-${name}--incoming.log`
  const lines = (await xen.rig.must(`until grep -q 'second later' ${log}; do sleep 0.2; done; cat ${log}`)).split(/\r?\n/)
  const { wall, mono } = jumped(lines.find(line => line.includes('jump:'))!)
  t.true(wall > mono)
  t.true(inRhythm(lines.find(line => line.includes('second later'))!))
  await xen.rig.must(`xl shutdown -w ${name}`)
  t.regex(await xen.rig.must(`cat ${log}`), /shutdown requested: poweroff/)
})

test.serial(
  'a website with its network answers after each of two restores and after a checkpoint, on a connection from before too',
  async t => {
    const image = await xen.image('../../examples/website')
    let running = await xen.start(t, image, { vif, args, seconds: 240 })
    await running.line(/listening/)
    const port = await xen.rig.forward(0, vif.ip, 80)
    const greeting = async (): Promise<string> => {
      const response = await fetch(`http://127.0.0.1:${port}/greeting`, {
        headers: { connection: 'close' },
        signal: AbortSignal.timeout(60_000),
      })
      const age = Math.abs(Date.parse(response.headers.get('date')!) - Date.now())
      t.true(age < 60_000, response.headers.get('date')!)
      return response.text()
    }
    t.regex(await greeting(), /^Hi from /)
    // Nobody tells the other end of a connection that the domain was away.
    const kept = connect(port, '127.0.0.1')
    let answers = ''
    kept.setEncoding('utf8').on('data', text => {
      answers += text
    })
    const greetingOnIt = async (): Promise<void> => {
      answers = ''
      kept.write('GET /greeting HTTP/1.1\r\nhost: kept\r\n\r\n')
      while (!answers.includes('Hi from kept'))
        await Promise.race([
          once(kept, 'data'),
          once(kept, 'close').then(() => {
            throw new Error(`closed; ${answers}`)
          }),
        ])
    }
    await greetingOnIt()
    for (const round of [1, 2]) {
      running = await saveAndRestore(t, running, image)
      await running.line(/\[net-xen\] vif 0: backend domain 0/)
      t.regex(await greeting(), /^Hi from /, `round ${round}`)
      await greetingOnIt()
    }
    const { file } = await running.domain.checkpoint()
    t.regex(await greeting(), /^Hi from /)
    await greetingOnIt()
    kept.destroy()
    await xen.rig.must(`rm ${file} /guests/*.saved`)
    await shutDown(t, running)
  },
)

/** Sends bytes and compares what comes back. */
async function throughEcho(t: ExecutionContext, stream: Duplex, length: number): Promise<void> {
  const sent = randomBytes(length)
  const channel = byteChannel(stream)
  const [back] = await Promise.all([channel.readExactly(length), channel.write(sent)])
  t.true(back !== undefined && sent.equals(back))
}

for (const role of ['server', 'client'] as const) {
  test.serial(
    `vchan ${role}: alive after a checkpoint in the middle of a transfer; after a restore its old end is told and it finds its next peer`,
    async t => {
      const image = await xen.image('../../examples/vchan-echo')
      let running = await xen.start(t, image, { args: `role=${role} port=5000`, seconds: 240 })
      const dial = ({ domain: { domid } }: Running): Promise<Duplex> =>
        role === 'server' ? xen.rig.vchanClient(domid, 5000) : xen.rig.vchanServer(domid, 5000, 65536, 65536)
      let stream = await dial(running)
      await running.line(/connected 1/)
      const transfer = throughEcho(t, stream, 3_000_000)
      const { file } = await running.domain.checkpoint()
      await transfer
      await throughEcho(t, stream, 100_000)
      t.is(running.lines.filter(line => /connected|ended/.test(line)).length, 1)
      const ended = new Promise(resolve => stream.on('close', resolve))
      stream.on('data', () => {})
      running = await saveAndRestore(t, running, image)
      await running.line(/ended 1: \d+ bytes/)
      await ended
      stream = await dial(running)
      await running.line(/connected 2/)
      await throughEcho(t, stream, 300_000)
      stream.end()
      await xen.rig.must(`rm ${file} /guests/*.saved`)
      await shutDown(t, running)
    },
  )
}

test.serial(
  'a qube: its agents sleep with the host and stay connected; after a restore they find the daemons of the new domain',
  async t => {
    const image = await xen.image('../../examples/website', 'qubes')
    const qube = await startQube(xen, t, '../../examples/website', { args: 'greeting=Hi', seconds: 240 })
    await qube.line(/listening/)
    await qube.line(/\[gui\] connected/)
    const port = await xen.rig.forward(0, vif.ip, 80)
    const greeting = async (): Promise<string> =>
      (await fetch(`http://127.0.0.1:${port}/greeting`, { headers: { connection: 'close' }, signal: AbortSignal.timeout(60_000) })).text()

    await qube.domain.sleep(1)
    const { file } = await qube.domain.checkpoint()
    t.is((await qube.qubes.call('qubes.WaitForSession', { input: 'user' })).code, 0)
    t.regex(await greeting(), /^Hi from /)
    t.is(qube.lines.filter(line => /\[(qubesdb|qrexec|gui)\] connected/.test(line)).length, 3)

    const restored = await saveAndRestore(t, qube, image)
    const qubes = new MiniQubes({ domid: restored.domain.domid, channels: rigChannels(xen.rig), qube: { name: 'website', ...vif } })
    qubes.failed.catch(error => t.fail(String(error)))
    t.teardown(() => qubes.stop())
    void restored.ended.then(() => qubes.stop())
    qubes.start()
    qubes.connect()
    for (const agent of ['qubesdb', 'qrexec', 'gui']) await restored.line(new RegExp(`\\[${agent}\\] connected`))
    t.is((await qubes.call('qubes.WaitForSession', { input: 'user' })).code, 0)
    t.regex(await greeting(), /^Hi from /)
    await restored.domain.shutdown()
    const { reason, lines } = await restored.ended
    t.is(reason, 'poweroff', lines.join('\n'))
    await xen.rig.must(`rm ${file} /guests/*.saved`)
  },
)
