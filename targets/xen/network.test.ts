/** The addresses of target xen: the command line, and DHCP over netfront. */
import { connectDrivers } from '@xen-ts/drivers'
import { restore, SimulatedNetback, SimulatedXen } from '@xen-ts/drivers/sim'
import { UsageError } from '@xen-ts/runtime'
import { DhcpServerDouble } from '@xen-ts/stack/testing'
import test from 'ava'
import { networkConfig } from '../address-args.ts'
import { connectNetwork } from './network.ts'
import '@xen-ts/drivers/sim/leak-check'

const none = { ipv4: '', ipv4Gateway: '', ipv6: '', ipv6Gateway: '', dns: [], dhcp: false }

test('the command line: an address, or DHCP, and not both', t => {
  t.deepEqual(networkConfig({ ...none, ipv4: '10.0.0.2/24', ipv4Gateway: '10.0.0.1', dns: ['10.0.0.1'] }), {
    address: '10.0.0.2',
    prefix: 24,
    gateway: '10.0.0.1',
    dns: ['10.0.0.1'],
    ipv6: undefined,
  })
  const ipv6 = { address: 'fd00::2', prefix: 64, gateway: 'fe80::1' }
  t.deepEqual(networkConfig({ ...none, ipv6: 'fd00::2/64', ipv6Gateway: 'fe80::1' }), { dns: [], ipv6 })
  t.deepEqual(networkConfig({ ...none, ipv6: 'fd00::2' })?.ipv6, { address: 'fd00::2', prefix: 128, gateway: undefined })
  t.throws(() => networkConfig({ ...none, ipv4: '10.0.0.2', ipv6Gateway: 'fe80::1' }), {
    instanceOf: UsageError,
    message: /ipv6-gateway=fe80::1 .* without ipv6/,
  })
  t.throws(() => networkConfig({ ...none, ipv6: 'fd00::2', ipv4Gateway: '10.0.0.1' }), {
    instanceOf: UsageError,
    message: /ipv4-gateway=10.0.0.1 .* without ipv4=/,
  })
  t.is(networkConfig({ ...none, dhcp: true }), undefined)
  t.throws(() => networkConfig(none), { instanceOf: UsageError, message: /ipv4=ADDRESS\/BITS ipv4-gateway=ADDRESS, or with dhcp$/ })
  for (const other of [{ ipv4: '10.0.0.2/24' }, { ipv4Gateway: '10.0.0.1' }, { dns: ['10.0.0.1'] }]) {
    const [[name, value]] = Object.entries(other)
    t.throws(() => networkConfig({ ...none, dhcp: true, ...other }), {
      instanceOf: UsageError,
      message: `stack: dhcp and ${name.replace('G', '-g')}=${value} were both given: the DHCP server gives address, router and name servers; leave one out`,
    })
  }
})

test('an address whose prefix has no length, or another than digits say, is refused', t => {
  for (const ipv4 of ['10.0.0.2/', '10.0.0.2/24/8', '10.0.0.2/0x18', '10.0.0.2/ 24', '10.0.0.2/1e1'])
    t.throws(() => networkConfig({ ...none, ipv4 }), {
      instanceOf: UsageError,
      message: `stack: ipv4=${ipv4} is not an address with the length of its prefix: write ipv4=ADDRESS/BITS`,
    })
  for (const ipv6 of ['fd00::2/', 'fd00::2/64/8', 'fd00::2/0x40', 'auto/64/'])
    t.throws(() => networkConfig({ ...none, ipv6 }), {
      instanceOf: UsageError,
      message: `stack: ipv6=${ipv6} is not an address with the length of its prefix: write ipv6=ADDRESS/BITS`,
    })
})

test('ipv6=auto: a router is asked, and the program starts with its address, or without after a while', async t => {
  for (const answers of [true, false]) {
    const xen = new SimulatedXen()
    const [dom0, guest] = [xen.createDomain(0), xen.createDomain(5)]
    const netback = new SimulatedNetback(dom0, connectDrivers(dom0.machine), 5)
    // From fe80::1 to all: 2001:db8::/64 for an hour; the checksum was worked out by hand.
    const advertisement = Uint8Array.from(
      `333300000001${'020000000001'}86dd6000000000303affFE800000000000000000000000000001FF020000000000000000000000000001${'8600a7694000070800000000000000000304'}40c000000e1000000e100000000020010db8000000000000000000000000`.match(
        /../g,
      )!,
      octets => parseInt(octets, 16),
    )
    let asked = 0
    netback.onReceive = packet => {
      if (packet[12] !== 0x86 || packet[54] !== 133) return
      asked++
      if (answers) netback.send(advertisement)
    }
    const stack = await xen.run(
      connectNetwork(connectDrivers(guest.machine), { ...none, ipv6: 'auto' }, 'web', new AbortController().signal),
    )
    t.is(stack.address, answers ? '2001:db8::216:3eff:fe5e:6c00' : undefined)
    t.is(asked, answers ? 1 : 2)
    t.is(guest.log.filter(({ level }) => level === 'warn').length, answers ? 0 : 1)
    await xen.run((async () => stack[Symbol.asyncDispose]())())
    netback.vanish()
    await xen.advance(30_000)
    xen.assertNoLeaks()
  }
})

/** A guest whose vif leads to a DHCP server; a suspend restores it as domain 7, 8, ... */
function setUp({ silent = false, cancelled = false } = {}) {
  const xen = new SimulatedXen()
  const [dom0, guest] = [xen.createDomain(0), xen.createDomain(5)]
  const parts = connectDrivers(dom0.machine)
  const server = new DhcpServerDouble(frame => set.netback.send(frame))
  server.silent = silent
  const attach = (domid: number): SimulatedNetback => {
    const netback = new SimulatedNetback(dom0, parts, domid)
    netback.onReceive = packet => server.receive(packet)
    return netback
  }
  const drivers = connectDrivers(guest.machine)
  const stop = new AbortController()
  let domid = 7
  guest.onSuspend = () => {
    if (cancelled) return 1
    set.netback.vanish()
    restore(guest, domid)
    set.netback = attach(domid++)
    return 0
  }
  const set = {
    xen,
    guest,
    server,
    stop,
    netback: attach(5),
    connect: (name = 'web') => connectNetwork(drivers, { ...none, dhcp: true }, name, stop.signal),
    lines: (source: string) => guest.log.filter(line => line.source === source && line.level !== 'debug').map(({ text }) => text),
    async finish() {
      set.netback.vanish()
      await xen.advance(30_000)
      xen.assertNoLeaks()
    },
  }
  return set
}

const hostName = ({ seen }: DhcpServerDouble): string => String.fromCharCode(...(seen[0].message.options.get(12) ?? []))

test('the program starts with the address of its lease, and gives it back at its end', async t => {
  const set = setUp()
  const { xen, server, connect, lines } = set
  const stack = await xen.run(connect())
  t.deepEqual([stack.address, stack.gateway, stack.dns], ['10.0.0.50', '10.0.0.1', ['10.0.0.1', '10.0.0.2']])
  t.true(xen.now < 7_000)
  t.is(hostName(server), 'web')
  t.deepEqual(lines('dhcp'), ['DHCP server 10.0.0.1 leases 10.0.0.50 for 3600 s'])
  await xen.advance(100) // the server's MAC address is asked for
  await xen.run((async () => stack[Symbol.asyncDispose]())())
  t.is(server.types.at(-1), 'release')
  await set.finish()
})

test('without a server the program starts all the same, and has an address once there is one', async t => {
  const set = setUp({ silent: true })
  const { xen, server, connect, lines } = set
  const stack = await xen.run(connect('@scope/name'))
  t.is(stack.address, undefined)
  t.is(hostName(server), '')
  t.regex(lines('dhcp')[0], /^no DHCP server has given an address after 15 s, going on without/)
  server.silent = false
  await xen.advance(60_000)
  t.is(stack.address, '10.0.0.50')
  await xen.run((async () => stack[Symbol.asyncDispose]())())
  await set.finish()
})

test('a shutdown does not wait for an address', async t => {
  const set = setUp({ silent: true })
  const { xen, connect, stop, lines } = set
  const connecting = connect()
  await xen.advance(3_000)
  const before = xen.now
  stop.abort()
  const stack = await xen.run(connecting)
  t.is(xen.now, before)
  t.deepEqual(lines('dhcp'), [])
  await xen.run((async () => stack[Symbol.asyncDispose]())())
  await set.finish()
})

test('after a restore and after a checkpoint the lease is confirmed, connections go on, and names are asked for again', async t => {
  for (const cancelled of [false, true]) {
    const set = setUp({ cancelled })
    const { xen, guest, server, connect } = set
    const stack = await xen.run(connect())
    const told: unknown[] = []
    stack.watch(address => told.push(address))
    const before = server.types.length
    let cleared = 0
    stack.names.clear = () => void cleared++
    t.is(await xen.run(guest.machine.suspension.suspend()), cancelled ? 'cancelled' : 'resumed')
    await xen.advance(5_000)
    t.deepEqual(new Set(server.types.slice(before)), new Set(['request']))
    t.deepEqual(told, [])
    t.true(cleared > 0)
    t.is(stack.address, '10.0.0.50')
    await xen.run((async () => stack[Symbol.asyncDispose]())())
    await set.finish()
  }
})

test('another network after a restore: the old address is refused, another one is taken', async t => {
  const set = setUp()
  const { xen, guest, server, connect } = set
  const stack = await xen.run(connect())
  const told: unknown[] = []
  stack.watch(address => told.push(address))
  server.server = ({ message }) => {
    const address = '10.0.0.77'
    if (message.type === 'discover') return [{ type: 'offer', address }]
    const asked = message.options.get(50)
    return message.type === 'request' ? [asked?.[3] === 77 ? { type: 'ack', address } : { type: 'nak' }] : []
  }
  await xen.run(guest.machine.suspension.suspend())
  await xen.advance(30_000)
  t.deepEqual(told, [undefined, '10.0.0.77'])
  await xen.run((async () => stack[Symbol.asyncDispose]())())
  await set.finish()
})
