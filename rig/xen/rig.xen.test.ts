import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer, text } from 'node:stream/consumers'
import test from 'ava'
import { linuxGuest, page } from './linux-guest.ts'
import { Rig } from './rig.ts'
import { rigChannels } from './vchan.ts'

const minutes = 60_000
let rig: Rig

test.before(async t => {
  t.timeout(6 * minutes)
  rig = await Rig.start()
})
test.after.always(async () => rig?.stop())

test('a script in dom0 gives its exit code and both outputs, whatever characters they hold', async t => {
  t.timeout(minutes)
  t.deepEqual(await rig.exec('echo "it\'s \\$5"; printf "a\\nb" >&2; exit 7'), { code: 7, stdout: "it's $5\n", stderr: 'a\nb' })
  await t.throwsAsync(rig.must('echo because >&2; false'), { message: /ended with 1[^]*because/ })
})

test('a script that does not end is stopped by its time limit', async t => {
  t.timeout(minutes)
  t.is((await rig.exec('sleep 60', { seconds: 1 })).code, 124)
})

test('a command that waits in vain is told which processes of dom0 have died', async t => {
  t.timeout(minutes)
  const { code, stderr } = await rig.exec('sh -c "kill -ABRT \\$\\$"; sleep 60', { seconds: 5 })
  t.is(code, 124)
  t.regex(stderr, /stopped after 5 s\ndom0: sh was ended by signal 6/)
})

test('a stream to dom0 carries every byte, both ways', async t => {
  t.timeout(2 * minutes)
  const sent = randomBytes(3_000_000)
  const stream = await rig.spawn('exec cat')
  stream.end(sent)
  t.true(sent.equals(await buffer(stream)))
})

test('a file arrives in dom0 unchanged', async t => {
  t.timeout(2 * minutes)
  const folder = await mkdtemp(join(tmpdir(), 'rig-'))
  try {
    await writeFile(join(folder, 'file'), 'x'.repeat(1_000_001))
    await rig.put(join(folder, 'file'), "/tmp/it's here")
    t.is((await rig.must('wc -c < "/tmp/it\'s here"')).trim(), '1000001')
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('a guest that stops by a kernel panic is a crash, and its console shows all that it wrote', async t => {
  t.timeout(3 * minutes)
  const { kernel } = await linuxGuest({ role: 'init' })
  const domain = await rig.createDomain({ name: 'panic', kernel, memory: 192, cmdline: 'console=hvc0 panic=-1' })
  const written = text(domain.console)
  t.deepEqual(await domain.wait(), { reason: 'crash', code: 3 })
  t.regex(await written, /^\[ +0\.000000\] Linux version [^]*Kernel panic - not syncing/)
})

test('a guest is reached from the host and from dom0, as behind a netvm of Qubes, and obeys a shutdown', async t => {
  t.timeout(4 * minutes)
  const guest = await linuxGuest({ role: 'nginx', ip: '10.137.0.30' })
  const domain = await rig.createDomain({ name: 'nginx', ...guest, vif: { ip: '10.137.0.30', mac: '00:16:3e:00:00:30' } })
  for await (const chunk of domain.console) {
    if (String(chunk).includes('nginx started')) break
  }
  const port = await rig.forward(0, '10.137.0.30', 80)
  t.is(await (await fetch(`http://127.0.0.1:${port}/`)).text(), page)
  t.regex(await rig.must('ping -c 3 10.137.0.30'), /3 packets received/)
  await domain.shutdown()
  t.deepEqual(await domain.wait(), { reason: 'poweroff', code: 0 })
  t.notRegex(await rig.must('xl list'), /nginx|null/)
})

test('vchans join the host to a guest in both roles; keys go when they are used; a dead guest ends its vchan', async t => {
  t.timeout(5 * minutes)
  const domain = await rig.createDomain({ name: 'vchan', ...(await linuxGuest({ role: 'vchan' })), paused: true })
  domain.console.resume()
  const channels = rigChannels(rig)
  const ready = Promise.withResolvers<void>()
  const served = rig.vchanServer(domain.domid, 5001, 4096, 4096, { onReady: ready.resolve })
  await ready.promise
  t.regex(await rig.must(`xenstore-ls /local/domain/0/data/vchan/${domain.domid}`), /5001[^]*ring-ref = "\d+"\s+event-channel = "\d+"/)
  const giveUp = new AbortController()
  const unused = channels.serve(domain.domid, 5002, { readSize: 65536, writeSize: 65536, signal: giveUp.signal })
  await domain.unpause()

  const asClient = await channels.connect(domain.domid, 5000)
  const sent = randomBytes(500_000)
  const written = asClient.write(sent)
  t.true(sent.equals((await asClient.readExactly(sent.length))!))
  await written

  const asServer = await served
  asServer.write(sent.subarray(0, 50_000))
  let back = Buffer.alloc(0)
  while (back.length < 50_000) {
    back = Buffer.concat([
      back,
      (asServer.read() as Buffer) ?? (await new Promise<Buffer>(resolve => asServer.once('readable', () => resolve(Buffer.alloc(0))))),
    ])
  }
  t.true(back.equals(sent.subarray(0, 50_000)))

  giveUp.abort(new Error('given up'))
  await t.throwsAsync(unused, { message: 'given up' })
  // The last one takes the folder along.
  const left = await rig.exec(`sleep 0.5; xenstore-ls /local/domain/0/data/vchan/${domain.domid}`)
  t.regex(left.stderr, /No such file or directory/, left.stdout)

  await domain.destroy()
  t.is(await asClient.read(), undefined)
  t.is((await domain.wait()).reason, 'destroyed')
})
