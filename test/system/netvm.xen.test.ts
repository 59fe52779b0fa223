/**
 * What dom0 changes while a qube runs: its netvm (another one, a restart, none, one that is chosen late, with real vifs and netback), and
 * its clock.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Policy } from '@xen-ts/rig/dom0'
import test, { type ExecutionContext } from 'ava'
import { XenTests } from './harness.ts'
import { type Qube, startQube, vif } from './qube.ts'

const xen = new XenTests(test)
const keys = (ip: string, gateway: string): Record<string, string> => ({
  '/qubes-mac': vif.mac,
  '/qubes-ip': ip,
  '/qubes-netmask': '255.255.255.255',
  '/qubes-gateway': gateway,
  '/qubes-primary-dns': '10.139.1.1',
  '/qubes-secondary-dns': '10.139.1.2',
})

const detach = ({ domain }: Qube) => xen.rig.must(`xl network-detach ${domain.domid} 0`)
const attach = ({ domain }: Qube, ip = vif.ip, gateway = vif.gateway, mac = vif.mac) =>
  xen.rig.must(`echo ${gateway} > /run/gateway-${ip}; xl network-attach ${domain.domid} ip=${ip} mac=${mac} script=/etc/xen/scripts/vif`)

function write({ qubes }: Qube, ip: string, gateway: string): void {
  for (const [path, value] of Object.entries(keys(ip, gateway))) qubes.db.write(path, value)
}

const ports = new Map<string, Promise<number>>()

/** A connection through dom0 to the qube's port 7. */
async function open(ip = vif.ip): Promise<Socket> {
  if (!ports.has(ip)) ports.set(ip, xen.rig.forward(0, ip, 7))
  const socket = connect(await ports.get(ip)!, '127.0.0.1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

async function echo(socket: Socket, text: string): Promise<string> {
  socket.write(text)
  const [bytes] = (await once(socket, 'data')) as [Buffer]
  return bytes.toString()
}

async function shutDown(t: ExecutionContext, qube: Qube, warnings: number): Promise<void> {
  await qube.domain.shutdown()
  const { reason, lines } = await qube.ended
  t.is(reason, 'poweroff', lines.join('\n'))
  t.is(lines.filter(line => / (WRN|ERR) /.test(line)).length, warnings, lines.join('\n'))
}

test.serial('another netvm: the connection ends with the reason, the new gateway is used, and the listener answers', async t => {
  const qube = await startQube(xen, t, 'programs/netvm.ts', { seconds: 180 })
  await qube.line(/the address is 10\.137\.0\.16$/)
  const socket = await open()
  t.is(await echo(socket, 'one'), 'one')
  await detach(qube)
  write(qube, vif.ip, '10.137.0.8')
  await attach(qube, vif.ip, '10.137.0.8', '00:16:3e:5e:6c:07')
  t.is((await qube.qubes.call('qubes.WaitForNetworkUplink', { user: 'root' })).code, 0)
  await qube.line(
    /\[stack\] the network was changed: 10\.137\.0\.16\/32 via 10\.137\.0\.8, DNS 10\.139\.1\.1 10\.139\.1\.2; connections that were reset: 1$/,
  )
  await qube.line(/lost: ENETRESET connection to [\d.]+:\d+ is reset, the network was changed: it is 10\.137\.0\.16\/32 via 10\.137\.0\.8/)
  await qube.line(/backend domain 0, MAC 00:16:3e:5e:6c:07/)
  socket.destroy()
  // The address was announced: nobody in dom0 had to ask for it.
  const neighbours = await xen.rig.must(`ip neigh show dev vif${qube.domain.domid}.0`)
  t.log(neighbours.trim())
  const again = await open()
  t.is(await echo(again, 'two'), 'two')
  again.destroy()
  await shutDown(t, qube, 0)
})

test.serial('another address: the listener answers there', async t => {
  const qube = await startQube(xen, t, 'programs/netvm.ts', { seconds: 180 })
  await qube.line(/the address is 10\.137\.0\.16$/)
  await detach(qube)
  await attach(qube, '10.137.0.77')
  write(qube, '10.137.0.77', vif.gateway)
  await qube.line(/the address is 10\.137\.0\.77 now/)
  const socket = await open('10.137.0.77')
  t.is(await echo(socket, 'new'), 'new')
  socket.destroy()
  await shutDown(t, qube, 0)
})

test.serial('a netvm that is restarted three times: a connection goes on', async t => {
  const qube = await startQube(xen, t, 'programs/netvm.ts', { seconds: 240 })
  await qube.line(/the address is 10\.137\.0\.16$/)
  const socket = await open()
  for (const text of ['one', 'two', 'three']) {
    t.is(await echo(socket, text), text)
    await detach(qube)
    await attach(qube)
    write(qube, vif.ip, vif.gateway)
  }
  t.is(await echo(socket, 'last'), 'last')
  t.false(qube.lines.some(line => /lost|was changed/.test(line)))
  socket.destroy()
  await shutDown(t, qube, 0)
})

test.serial('no netvm at first, then one, then none, then another; and a shutdown without any is obeyed', async t => {
  const qube = await startQube(xen, t, 'programs/netvm.ts', { vif: false, seconds: 180 })
  await qube.line(/WRN \[network\] there is no netvm/)
  await qube.line(/the address is undefined$/)
  t.is((await qube.qubes.call('qubes.WaitForNetworkUplink', { user: 'root' })).code, 0)
  write(qube, vif.ip, vif.gateway)
  await attach(qube)
  await qube.line(/the address is 10\.137\.0\.16 now/)
  const socket = await open()
  t.is(await echo(socket, 'late'), 'late')
  await detach(qube) // the keys stay, as in Qubes
  t.is((await qube.qubes.call('qubes.WaitForNetworkUplink', { user: 'root' })).code, 0)
  write(qube, vif.ip, '10.137.0.9')
  await attach(qube, vif.ip, '10.137.0.9')
  await qube.line(/lost: ENETRESET/)
  socket.destroy()
  const again = await open()
  t.is(await echo(again, 'other'), 'other')
  again.destroy()
  await detach(qube)
  for (const path of Object.keys(keys('', ''))) qube.qubes.db.rm(path)
  await qube.line(/the address is undefined now/)
  await shutDown(t, qube, 1)
})

test.serial('the clock is set at start and after the host has slept; timers keep their rhythm', async t => {
  const dates = [Date.UTC(2031, 4, 5, 12), Date.UTC(2033, 1, 2, 3, 4, 5)]
  const asked: string[] = []
  const policy: Policy = ({ target, service, argument }) => {
    const date = new Date(dates[asked.length] ?? NaN)
    asked.push(`${service}+${argument} ${target}`)
    return () => `${date.toISOString().slice(0, 19)},123456789+00:00\n`
  }
  const qube = await startQube(xen, t, 'programs/suspend.ts', { dom0: { policy }, seconds: 120 })
  await qube.line(/^2031-05-05 12:00:00\.\d+ -00:00: INF \[clock\] corrected by \d+\.\d{3} s, as dom0 says$/)
  const [, wall, mono, now] = /jump: wall (\d+) mono (\d+) now (\d+)/.exec(await qube.line(/jump:/))!
  t.true(Number(wall) > 4 * 365 * 86_400_000 && Number(mono) < 5_000, `${wall} ${mono}`)
  t.true(Math.abs(Number(now) - dates[0]!) < 10_000)
  const beats = Number(/later: (\d+) beats/.exec(await qube.line(/a second later/))![1])
  t.true(beats >= 2 && beats <= 21, `${beats}`)
  t.is((await qube.qubes.call('qubes.SuspendPost', { user: 'root' })).code, 0)
  await qube.line(/^2033-02-02 03:04:05\.\d+ -00:00: INF \[clock\] corrected/)
  t.deepEqual(asked, Array(2).fill('qubes.GetDate+nanoseconds @default'))
  await qube.qubes.qrexec.idle()
  await shutDown(t, qube, 0)
})

test.serial("Intl's time zone is the one of dom0", async t => {
  const qube = await startQube(xen, t, 'programs/zone.ts', {
    vif: false,
    dom0: { keys: [['/qubes-timezone', 'America/New_York']] },
    seconds: 60,
  })
  t.regex(await qube.line(/\[zone\] zone /), /America\/New_York: Jul 1, 2026, 8:00:00 AM EDT$/)
})
