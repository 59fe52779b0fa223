/** The backend of the network device in another domain than dom0, as in Qubes: a Linux guest with netback, which dies or hangs. */

import { linuxGuest } from '@xen-ts/rig/xen'
import test, { type ExecutionContext } from 'ava'
import { type Running, XenTests } from './harness.ts'

const xen = new XenTests(test)
const vif = { ip: '10.137.0.16', gateway: '10.137.0.1', mac: '00:16:3e:5e:6c:00' }
const request = String.raw`printf 'GET /greeting HTTP/1.1\r\nhost: client\r\nconnection: close\r\n\r\n' | nc -w 20 ${vif.ip} 80 | tail -n 1`

const warnings = ({ lines }: Running) => lines.filter(line => / (WRN|ERR) /.test(line))

/** A driver domain that is ready for vifs. */
async function startNetvm(t: ExecutionContext): Promise<Running> {
  const { kernel, cmdline, ...options } = await linuxGuest({ role: 'netvm' })
  const netvm = await xen.start(t, kernel, { args: cmdline, seconds: 240, ...options })
  await netvm.line(/netvm ready/)
  return netvm
}

let questions = 0

/** Runs a command in the driver domain; gives what it printed, one line. */
async function ask(netvm: Running, command: string): Promise<string> {
  const answer = `answer ${++questions}: `
  await netvm.domain.type(`echo "${answer}$(${command} 2>&1)"`)
  const line = await netvm.line(new RegExp(answer))
  return line.slice(line.indexOf(answer) + answer.length)
}

const detach = ({ domain }: Running) => xen.rig.must(`xl network-detach ${domain.domid} 0`)

/** Resolves when the guest says that it is connected to the backend, which is dom0's without a netvm. */
async function attach(running: Running, netvm?: Running): Promise<void> {
  const from = running.lines.length
  const backend = netvm === undefined ? '' : `backend=${netvm.domain.name}`
  await xen.rig.must(`xl network-attach ${running.domain.domid} ip=${vif.ip} mac=${vif.mac} script=/etc/xen/scripts/vif ${backend}`)
  await running.line(new RegExp(`backend domain ${netvm?.domain.domid ?? 0}, MAC ${vif.mac}`), from)
}

/** The netvm's domain is destroyed; the toolstack cleans up what is left of the vif. */
async function crash(running: Running, netvm: Running): Promise<void> {
  await netvm.domain.destroy()
  await running.line(new RegExp(`disconnected from domain ${netvm.domain.domid}: its directory is gone`))
  await detach(running)
}

/** The netvm does nothing any more when the vif is to be detached: it keeps the rings mapped until it is destroyed. */
async function hang(running: Running, { domain }: Running): Promise<void> {
  const backend = `/local/domain/${domain.domid}/backend/vif/${running.domain.domid}/0`
  // What xl network-detach begins with; it would wait for 20 s then.
  await xen.rig.must(`xl pause ${domain.domid}; xenstore-write ${backend}/online 0 ${backend}/state 5`)
  await running.line(new RegExp(`disconnected from domain ${domain.domid}: it is closing`))
  await domain.destroy()
  await detach(running)
}

async function shutDown(t: ExecutionContext, running: Running): Promise<void> {
  await running.domain.shutdown()
  const { reason, lines } = await running.ended
  t.is(reason, 'poweroff', lines.join('\n'))
  t.deepEqual(warnings(running), [])
}

test.serial(
  'HTTP with the backend in dom0, in a driver domain, in dom0, in the driver domain, which is destroyed, and in dom0',
  async t => {
    const netvm = await startNetvm(t)
    const running = await xen.start(t, await xen.image('../../examples/website'), {
      vif,
      args: `ip=${vif.ip}/32 gateway=${vif.gateway}`,
      seconds: 240,
    })
    await running.line(/listening on/)
    const fromDom0 = async () => (await xen.rig.must(request)).trim()
    t.is(await fromDom0(), 'Hello from client')
    for (const end of [detach, crash]) {
      await detach(running)
      await attach(running, netvm)
      t.is(await ask(netvm, 'echo /sys/class/net/vif*'), `/sys/class/net/vif${running.domain.domid}.0`)
      for (let i = 0; i < 3; i++) t.is(await ask(netvm, request), 'Hello from client')
      await end(running, netvm)
      await attach(running)
      t.is(await fromDom0(), 'Hello from client')
    }
    await shutDown(t, running)
  },
)

test.serial(
  'frames of all lengths and uncut packets through a driver domain that dies in the middle of a transfer, through one that hangs, and dom0',
  async t => {
    const [first, second] = await Promise.all([startNetvm(t), startNetvm(t)])
    const running = await xen.start(t, await xen.image('../../examples/frame-echo'), { vif, seconds: 240 })
    await running.line(/backend domain 0/)
    await detach(running)
    const device = `vif${running.domain.domid}.0`
    const frames = `frames ${device} ${vif.mac}`
    for (const [netvm, longest, end] of [
      [first, 1514, crash],
      [second, 159, hang],
    ] as const) {
      await attach(running, netvm)
      t.is(await ask(netvm, `${frames} check 60 ${longest}`), String(longest - 60 + 1))
      for (const version of [4, 6]) t.is(await ask(netvm, `${frames} uncut ${version} 60000 1428 50`), '50', `IPv${version}`)
      await netvm.domain.type(`${frames} rate 600 1514 64 &`)
      const received = async () => Number(await ask(netvm, `cat /sys/class/net/${device}/statistics/rx_packets`))
      const before = await received()
      while ((await received()) < before + 200);
      await end(running, netvm)
    }
    await attach(running)
    t.is((await xen.rig.must(`${frames} check 60 159`)).trim(), '100')
    await shutDown(t, running)
  },
)
