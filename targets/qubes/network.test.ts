/** The netvm is chosen, changed, restarted and taken away while the qube runs: QubesDB, netfront and the stack together. */

import { connectDrivers } from '@xen-ts/drivers'
import { type SimulatedDomain, SimulatedNetback, SimulatedXen } from '@xen-ts/drivers/sim'
import { startAgents } from '@xen-ts/qubes'
import { MiniQubes } from '@xen-ts/rig/dom0'
import type { Log } from '@xen-ts/runtime/machine'
import { vchanChannels } from '@xen-ts/vchan'
import test from 'ava'
import { connectStack, type XenStack } from '../domain.ts'
import { followNetwork, networkConfig, uplinkWorks } from './network.ts'
import '@xen-ts/drivers/sim/leak-check'

const OLD = {
  '/qubes-ip': '10.137.0.16',
  '/qubes-netmask': '255.255.255.255',
  '/qubes-gateway': '10.137.0.1',
  '/qubes-primary-dns': '10.139.1.1',
  '/qubes-secondary-dns': '10.139.1.2',
}
const NEW = { ...OLD, '/qubes-gateway': '10.137.0.8' }

/** A qube in state of having started; `ip: null` is one without a netvm. */
async function setUp({ ip, vif = true }: { ip?: null; vif?: boolean } = {}) {
  const xen = new SimulatedXen()
  const [dom0, guest] = [xen.createDomain(0), xen.createDomain(5)]
  const dom0Drivers = connectDrivers(dom0.machine)
  const qubes = new MiniQubes({ domid: 5, channels: vchanChannels(dom0Drivers), qube: { ip } })
  const attach = (netvm: SimulatedDomain, drivers = connectDrivers(netvm.machine)): SimulatedNetback =>
    new SimulatedNetback(netvm, drivers, 5)
  let netback = vif ? attach(dom0, dom0Drivers) : undefined
  qubes.start()
  const drivers = connectDrivers(guest.machine)
  let stack: XenStack
  const uplink = () => uplinkWorks({ db: agents.db, stack, xenstore: drivers.xenstore, timers: guest.machine.timers })
  const agents = startAgents({ machine: guest.machine, channels: vchanChannels(drivers), uplink })
  qubes.connect()
  await xen.run(agents.db.synced)
  const log = guest.machine.log('network')
  const config = networkConfig(agents.db, log)
  stack = await xen.run(
    connectStack(drivers, config, { signal: new AbortController().signal, patience: config === undefined ? 0 : 10_000 }),
  )
  const unfollow = followNetwork({ db: agents.db, stack, timers: guest.machine.timers, log })
  const lines = (source: string): string[] => guest.log.filter(line => line.source === source).map(({ text }) => text)
  const write = (keys: Record<string, string>): void => {
    for (const [key, value] of Object.entries(keys)) qubes.db.write(key, value)
  }
  return {
    xen,
    dom0,
    guest,
    qubes,
    stack,
    lines,
    write,
    db: agents.db,
    get netback() {
      return netback
    },
    attach(netvm: SimulatedDomain): SimulatedNetback {
      return (netback = netvm === dom0 ? attach(dom0, dom0Drivers) : attach(netvm))
    },
    async finish() {
      unfollow()
      await xen.run((async () => stack[Symbol.asyncDispose]())())
      netback?.vanish()
      qubes.stop()
      await xen.run(agents.close())
      await xen.advance(30_000)
      xen.assertNoLeaks()
    },
  }
}

/** Sender's address of ARP questions, and what they ask for. */
const asked = ({ received }: SimulatedNetback): string[] =>
  received
    .filter(frame => frame[12] === 8 && frame[13] === 6)
    .map(frame => `${[...frame.subarray(28, 32)].join('.')} asks for ${[...frame.subarray(38, 42)].join('.')}`)

test('another netvm: vif away, keys again, vif of another domain: new gateway, connections reset, the address announced there', async t => {
  const set = await setUp()
  const { xen, stack, write, lines } = set
  const told: unknown[] = []
  stack.watch(address => told.push(address))
  const connecting = stack.tcp.connect({ host: '1.2.3.4', port: 80 })
  connecting.catch(() => {})
  set.netback!.detach()
  await xen.advance(500)
  write({ '/name': 'mirage-test', ...NEW, '/qubes-timezone': 'Europe/Berlin' })
  await xen.advance(50)
  t.is(stack.gateway, '10.137.0.1') // not before all of them are there
  await xen.advance(100)
  await t.throwsAsync(connecting, {
    code: 'ENETRESET',
    message: /the network was changed: it is 10\.137\.0\.16\/32 via 10\.137\.0\.8, DNS 10\.139\.1\.1 10\.139\.1\.2 now/,
  })
  t.is(stack.gateway, '10.137.0.8')
  t.deepEqual(told, ['10.137.0.16'])
  t.is((await xen.run(set.qubes.call('qubes.WaitForNetworkUplink'))).code, 0) // there is no vif
  const netback = set.attach(xen.createDomain(9))
  t.is((await xen.run(set.qubes.call('qubes.WaitForNetworkUplink'))).code, 0)
  t.true(stack.device.isUp)
  await xen.advance(100)
  t.deepEqual(asked(netback).slice(0, 2), ['10.137.0.16 asks for 10.137.0.16', '10.137.0.16 asks for 10.137.0.8'])
  t.deepEqual(lines('net-xen').slice(-1), ['vif 0: backend domain 9, MAC 00:16:3e:5e:6c:00, MTU 1500'])
  await set.finish()
})

test('dom0 switches the feature ipv6 on and off: the stack has the address meanwhile, and connections over IPv4 go on', async t => {
  const set = await setUp()
  const { xen, stack, write, qubes, guest } = set
  await xen.advance(100)
  const connecting = stack.tcp.connect({ host: '10.137.0.1', port: 80 })
  let failed = false
  connecting.catch(() => (failed = true))
  write({ '/qubes-ip6': 'fd09:24ef:4179:0000::a89:10', '/qubes-gateway6': 'fe80::fcff:ffff:feff:ffff' })
  await xen.advance(500)
  t.deepEqual(stack.addresses, [
    { address: '10.137.0.16', prefix: 32, family: 4 },
    { address: 'fd09:24ef:4179::a89:10', prefix: 128, family: 6 },
  ])
  t.is(stack.link.sourceFor('2001:db8::1'), 'fd09:24ef:4179::a89:10')
  write({ '/qubes-ip6': 'nonsense' })
  await xen.advance(500)
  t.is(stack.addresses.length, 2)
  qubes.db.rm('/qubes-ip6')
  qubes.db.rm('/qubes-gateway6')
  await xen.advance(500)
  t.deepEqual(
    stack.addresses.map(({ family }) => family),
    [4],
  )
  t.false(failed)
  t.is(guest.log.filter(({ level, source }) => level === 'error' && source === 'network').length, 1)
  await set.finish()
})

test('dom0 that asks for the uplink too early is told so, before it loses patience', async t => {
  const set = await setUp()
  set.write({ '/qubes-ip': '10.137.0.300' })
  const before = set.xen.now
  t.is((await set.xen.run(set.qubes.call('qubes.WaitForNetworkUplink'))).code, 3)
  t.true(set.xen.now - before < 10_000)
  await set.finish()
})

test('no netvm at first, one later, none again: the stack follows', async t => {
  const set = await setUp({ ip: null, vif: false })
  const { xen, dom0, stack, write, qubes, lines } = set
  t.is(stack.address, undefined)
  await t.throwsAsync(stack.tcp.connect({ host: '1.2.3.4', port: 80 }), { code: 'EHOSTUNREACH' })
  await xen.advance(3600_000)
  write(OLD)
  set.attach(dom0)
  await xen.advance(500)
  t.is(stack.address, '10.137.0.16')
  t.true(asked(set.netback!).includes('10.137.0.16 asks for 10.137.0.1'))
  const connecting = stack.tcp.connect({ host: '1.2.3.4', port: 80 })
  connecting.catch(() => {})
  for (const key of Object.keys(OLD)) qubes.db.rm(key)
  await xen.advance(500)
  await t.throwsAsync(connecting, { code: 'ENETRESET', message: /the network was changed: there is none any more/ })
  t.is(stack.address, undefined)
  t.deepEqual(lines('stack'), [
    'no address',
    'the network was changed: 10.137.0.16/32 via 10.137.0.1, DNS 10.139.1.1 10.139.1.2',
    'the network was changed: no address; connections that were reset: 1',
  ])
  await set.finish()
})

test('a restart of the netvm, which writes the same keys again, resets nothing', async t => {
  const set = await setUp()
  const { xen, dom0, stack, write } = set
  let over = false
  stack.tcp.connect({ host: '1.2.3.4', port: 80 }).catch(() => {
    over = true
  })
  for (let round = 0; round < 3; round++) {
    set.netback!.detach()
    await xen.advance(200)
    write(OLD)
    const netback = set.attach(dom0)
    await xen.advance(500)
    t.true(asked(netback).includes('10.137.0.16 asks for 10.137.0.16'))
    t.false(over)
  }
  await set.finish()
})

test('a qube whose netvm never connects starts after ten seconds, and comes to an end', async t => {
  const set = await setUp({ vif: false })
  t.true(set.xen.now >= 10_000 && set.xen.now < 11_000)
  t.is(set.stack.address, '10.137.0.16')
  t.true(set.lines('stack')[0].startsWith('the network device is not connected after 10 s'))
  await set.finish()
})

const MALFORMED: Record<string, Record<string, string>> = {
  'address that is none': { '/qubes-ip': '10.137.0.256' },
  'address of everybody': { '/qubes-ip': '255.255.255.255' },
  'address of nobody': { '/qubes-ip': '0.0.0.0' },
  'address of itself': { '/qubes-ip': '127.0.0.1' },
  'group address': { '/qubes-ip': '224.0.0.1' },
  'gateway that is the qube': { '/qubes-gateway': '10.137.0.16' },
  'gateway that is none': { '/qubes-gateway': 'sys-firewall' },
  'netmask with a hole': { '/qubes-netmask': '255.0.255.0' },
  'name server that is none': { '/qubes-primary-dns': '10.139.1.1 10.139.1.2' },
  'name server of everybody': { '/qubes-secondary-dns': '255.255.255.255' },
}

for (const [name, keys] of Object.entries(MALFORMED)) {
  test(`malformed at run time: ${name}: one error in the log, the old addresses stay, and right ones are taken`, async t => {
    const lines: string[] = []
    const log = {
      error: (text: string) => {
        lines.push(text)
      },
    } as Log
    const set = await setUp()
    const { xen, stack, write, qubes, guest } = set
    write(keys)
    await xen.advance(500)
    t.deepEqual([stack.address, stack.gateway, stack.dns], ['10.137.0.16', '10.137.0.1', ['10.139.1.1', '10.139.1.2']])
    t.is(guest.log.filter(({ level }) => level === 'error').length, 1)
    write(NEW)
    await xen.advance(500)
    t.is(stack.gateway, '10.137.0.8')
    qubes.db.rm('/qubes-gateway')
    await xen.advance(500)
    t.is(stack.gateway, '10.137.0.8')
    t.is(networkConfig(set.db, log), undefined)
    t.regex(lines[0], /has no \/qubes-gateway/)
    await set.finish()
  })
}
