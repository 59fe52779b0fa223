/** Each driver alone on real Xen, against what it meets in Qubes: libxenvchan, Linux netback, xenstored, xl. */
import { randomBytes } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { byteChannel } from '@xen-ts/rig/xen'
import test, { type ExecutionContext } from 'ava'
import { type Running, XenTests } from './harness.ts'

const xen = new XenTests(test)
const vif = { ip: '10.137.0.16', gateway: '10.137.0.1', mac: '00:16:3e:5e:6c:00' }
const message = (line: string) => line.replace(/^.*?\[\w[^\]]*\] /, '')
const warnings = ({ lines }: { lines: readonly string[] }) => lines.filter(line => / (WRN|ERR) /.test(line))

/** Shuts the domain down and expects a clean end; tells how long it took. */
async function shutDown(t: ExecutionContext, running: Running, how: 'shutdown' | 'reboot' = 'shutdown'): Promise<void> {
  const start = performance.now()
  await running.domain[how]()
  const { reason, lines } = await running.ended
  t.is(reason, how === 'reboot' ? 'reboot' : 'poweroff', lines.join('\n'))
  t.log(`${how}: ended after ${(performance.now() - start).toFixed(0)} ms`)
}

// xenstore

test.serial("xenstore-ls lists the domain's own subtree as xenstored has it", async t => {
  const running = await xen.start(t, await xen.image('../../examples/xenstore-ls'), { vif })
  const { domid } = running.domain
  const { lines, reason } = await running.ended
  t.is(reason, 'poweroff', lines.join('\n'))
  const said = lines.filter(line => line.includes('[xenstore-ls]')).map(message)
  t.is(said[0], `/local/domain/${domid}`)
  for (const line of [
    `  domid = "${domid}"`,
    '  name = "test1"',
    '  device = ""',
    '    vif = ""',
    '      0 = ""',
    `        mac = "${vif.mac}"`,
  ])
    t.true(said.includes(line), `${line}\n${said.join('\n')}`)
  t.deepEqual(warnings({ lines }), [])
})

test.serial("xenstore: as many keys as the store allows (1,000 with the toolstack's own), and 100 watches that each tell", async t => {
  const running = await xen.start(t, await xen.image('programs/xenstore-load.ts'), { seconds: 120 })
  await running.line(/watching 100/)
  const path = `/local/domain/${running.domain.domid}/data/load/0`
  t.is((await xen.rig.must(`xenstore-read ${path}/99`)).trim(), 'value of data/load/0/99')
  await xen.rig.must(`for i in $(seq 0 99); do xenstore-write ${path}/$i changed; done`)
  const { lines, reason } = await running.ended
  t.is(reason, 'poweroff', lines.join('\n'))
  const [written, ...said] = lines.filter(line => line.includes('[xenstore-load]')).map(message)
  const [, count] = /^written (\d+), then ENOSPC$/.exec(written) ?? []
  t.true(Number(count) > 950 && Number(count) <= 1000, written)
  t.deepEqual(said, [
    'listed 100',
    'wrong 0',
    'watching 100',
    'seen 100 changes of others',
    'after the watches were closed: 0 changes',
    'removed: true',
  ])
  t.deepEqual(warnings({ lines }), [])
})

test.serial('xenstore: a listing of more than 4096 bytes comes whole', async t => {
  const name = (i: number) => `a-key-with-a-rather-long-name-${i}`
  await xen.rig.must(
    `xenstore-write ${Array.from({ length: 300 }, (_, i) => `/listing/${name(i)} ${i}`).join(' ')}; xenstore-chmod -r /listing r0`,
  )
  const { lines, reason } = await xen
    .start(t, await xen.image('../../examples/xenstore-ls'), { args: 'path=/listing' })
    .then(({ ended }) => ended)
  t.is(reason, 'poweroff', lines.join('\n'))
  const said = lines.filter(line => line.includes('[xenstore-ls]')).map(message)
  t.deepEqual(said.slice(1, -1).toSorted(), Array.from({ length: 300 }, (_, i) => `  ${name(i)} = "${i}"`).toSorted())
  t.is(said.at(-1), '300 keys')
})

// vchan

/** Connects dom0 to the echo: the guest is the server or the client, with rings of at least these sizes. */
async function openEcho(running: Running, role: string, port: number, readSize: number, writeSize: number): Promise<Duplex> {
  return role === 'server'
    ? xen.rig.vchanClient(running.domain.domid, port)
    : xen.rig.vchanServer(running.domain.domid, port, readSize, writeSize)
}

/** Sends bytes in pieces of these sizes, over and over, and gives what came back. */
async function throughEcho(stream: Duplex, sent: Uint8Array, sizes: readonly number[]): Promise<Uint8Array | undefined> {
  const channel = byteChannel(stream)
  const writing = (async () => {
    for (let at = 0, i = 0; at < sent.length; at += sizes[i++ % sizes.length])
      await channel.write(sent.subarray(at, at + sizes[i % sizes.length]))
  })()
  const back = await channel.readExactly(sent.length)
  await writing
  return back
}

for (const role of ['server', 'client'] as const) {
  for (const [orders, readSize, writeSize] of [
    ['10 and 11', 1024, 2048],
    ['11 and 10', 2048, 1024],
    ['12', 4096, 4096],
    ['16', 65536, 65536],
  ] as const) {
    test.serial(`vchan ${role} with rings of order ${orders}: libxenvchan gets back every byte, in order, twice`, async t => {
      const running = await xen.start(t, await xen.image('../../examples/vchan-echo'), {
        args: `role=${role} port=5000 read-size=${readSize} write-size=${writeSize}`,
        seconds: 120,
      })
      for (const count of [1, 2]) {
        const stream = await openEcho(running, role, 5000, readSize, writeSize)
        const sent = randomBytes(300_001)
        const back = await throughEcho(stream, sent, [1, 4095, 4096, 4097, 65535, 2, 77_777, 1023, 1025])
        t.true(back !== undefined && sent.equals(back))
        stream.end()
        await running.line(new RegExp(`ended ${count}: ${sent.length} bytes`))
      }
      await shutDown(t, running)
      t.deepEqual(warnings(running), [])
    })
  }
}

for (const role of ['server', 'client'] as const) {
  test.serial(
    `vchan ${role}: the peer is killed in the middle of a transfer; the guest sees the end, warns once at most, and echoes for the next`,
    async t => {
      const running = await xen.start(t, await xen.image('../../examples/vchan-echo'), { args: `role=${role} port=5000`, seconds: 120 })
      for (const count of [1, 2, 3]) {
        const stream = await openEcho(running, role, 5000, 65536, 65536)
        await running.line(new RegExp(`connected ${count}`))
        // Without end, both ways: the bridge is killed with bytes in both rings.
        const piece = randomBytes(65536)
        let sent = 0,
          back = 0
        const more = (error?: Error | null) => {
          if (!error && !stream.destroyed) stream.write(piece, more), (sent += piece.length)
        }
        more()
        stream.on('data', bytes => {
          back += bytes.length
        })
        while (back < 200_000) await new Promise(resolve => setTimeout(resolve, 10))
        t.is((await xen.rig.exec('pid=$(pidof vchan-bridge) && kill -9 $pid')).code, 0)
        stream.destroy()
        const line = await running.line(new RegExp(`ended ${count}: \\d+ bytes`))
        t.true(Number(/ended \d: (\d+)/.exec(line)![1]) < sent, `${line}, of ${sent}`)
        // A killed server in dom0 leaves its keys, as a killed daemon of Qubes does.
        if (role === 'client') await xen.rig.must(`xenstore-rm /local/domain/0/data/vchan/${running.domain.domid} || true`)
      }
      const stream = await openEcho(running, role, 5000, 65536, 65536)
      const sent = randomBytes(100_000)
      const back = await throughEcho(stream, sent, [10_000])
      t.true(back !== undefined && sent.equals(back))
      stream.end()
      await shutDown(t, running)
      t.true(warnings(running).length <= 1, warnings(running).join('\n'))
    },
  )
}

for (const role of ['server', 'client'] as const) {
  test.serial(`vchan ${role}: 300 are open at once with libxenvchan, each echoes, and when all are closed nothing is left`, async t => {
    const count = 300
    const running = await xen.start(t, await xen.image('programs/many-vchans.ts'), { args: `role=${role} count=${count}`, seconds: 240 })
    const { domid } = running.domain
    const dom0 = role === 'server' ? 'client' : 'server'
    t.log(`${Number(await xen.rig.must(`ulimit -n 4096; vchan-load ${dom0} ${domid} 6000 many ${count}`, { seconds: 200 })).toFixed(1)} s`)
    const { lines, reason } = await running.ended
    t.is(reason, 'poweroff', lines.join('\n'))
    const said = lines.filter(line => line.includes('[many-vchans]')).map(message)
    const [, before] = /^before: (.*)$/.exec(said[0])!
    t.regex(said[1], new RegExp(`^open: ${300 + Number(/^(\d+) ports/.exec(before)![1])} ports`))
    t.deepEqual(said.slice(2), [`${count} were open at once, ${count * 32} bytes echoed`, `after: ${before}`])
    // A client that waits for its server watches a key, and the store lets a domain watch 128: the others look once a second.
    t.true(warnings({ lines }).length <= (role === 'server' ? 0 : 1), warnings({ lines }).join('\n'))
    t.is((await xen.rig.exec(`xenstore-ls /local/domain/0/data/vchan/${domid}`)).stdout, '')
  })
}

// netfront

/** What the tool `frames` of dom0 prints for the domain's interface. */
const frames = async ({ domain }: Running, what: string) =>
  (await xen.rig.must(`frames vif${domain.domid}.0 ${vif.mac} ${what}`, { seconds: 90 })).trim()

test.serial('netfront: every frame from 60 to 1514 bytes goes through Linux netback and back unchanged', async t => {
  const running = await xen.start(t, await xen.image('../../examples/frame-echo'), { vif, seconds: 120 })
  await running.line(/answering frames/)
  t.is(await frames(running, 'check 60 1514'), String(1514 - 60 + 1))
  t.log(`60 bytes, 32 under way: frames a second, lost: ${await frames(running, 'rate 3 60 32')}`)
  await shutDown(t, running)
  t.deepEqual(warnings(running), [])
  t.true(Number(/(\d+) frames answered/.exec(running.lines.join('\n'))![1]) >= 1455)
})

test.serial('netfront: the vif is detached and attached again 20 times, and frames go through after each', async t => {
  const running = await xen.start(t, await xen.image('../../examples/frame-echo'), { vif, seconds: 240 })
  await running.line(/answering frames/)
  const { domid } = running.domain
  for (let round = 1; round <= 20; round++) {
    // xl waits until both ends have closed; it gives up after 10 s.
    const start = performance.now()
    await xen.rig.must(`xl network-detach ${domid} 0`)
    const detached = performance.now() - start
    t.true(detached < 10_000, `round ${round}: detached after ${detached.toFixed(0)} ms`)
    await xen.rig.must(`xl network-attach ${domid} ip=${vif.ip} mac=${vif.mac} script=/etc/xen/scripts/vif`)
    await untilLines(running, /backend domain 0, MAC/, round + 1)
    t.is(await frames(running, 'check 60 79'), '20', `round ${round}`)
  }
  await shutDown(t, running)
  t.deepEqual(warnings(running), [])
})

test.serial('netfront: a program that asks for the stack and for bare frames is told in one line that it cannot have both', async t => {
  const { lines, reason } = await xen.run(t, 'programs/both.ts', { vif, args: `ip=${vif.ip}/32 gateway=${vif.gateway}` })
  t.is(reason, 'crash', lines.join('\n'))
  t.true(
    lines.some(line => / ERR .*stack: the network device belongs to ethernet already/.test(line)),
    lines.join('\n'),
  )
  t.false(lines.some(line => line.includes('started')))
})

async function untilLines(running: Running, pattern: RegExp, count: number): Promise<void> {
  while (running.lines.filter(line => pattern.test(line)).length < count) {
    await Promise.race([
      new Promise(resolve => setTimeout(resolve, 20)),
      running.ended.then(({ lines }) => {
        throw new Error(`the domain ended:\n${lines.slice(-20).join('\n')}`)
      }),
    ])
  }
}

// control

for (const how of ['shutdown', 'reboot'] as const) {
  test.serial(`xl ${how} is obeyed by a program that waits`, async t => {
    const running = await xen.start(t, await xen.image('programs/stop.ts'))
    await running.line(/waiting/)
    await shutDown(t, running, how)
    t.true(running.lines.some(line => message(line) === 'asked to stop'))
    t.deepEqual(warnings(running), [])
  })
}
