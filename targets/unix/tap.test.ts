/** Our own stack on tap devices: the cases of every stack, between two devices on a bridge; and what is said when a device cannot be had. */
import { assert } from '@xen-ts/boot/cases'
import { UsageError } from '@xen-ts/runtime'
import { nodeMachine } from '@xen-ts/runtime/node'
import { createStack } from '@xen-ts/stack'
import { type Network, serveName, socketCases } from '@xen-ts/stack/testing'
import test from 'ava'
import { openTap, type TapOptions } from './tap.ts'
import { makeNamespace, mayTap, type Namespace } from './testing.ts'

const quiet: TapOptions = { onLost() {}, onWarning() {} }

const bridge = `ip link add br0 type bridge
for tap in tap0 tap1; do
  ip tuntap add dev $tap mode tap
  ip link set $tap master br0 up
done
ip link set br0 up`

const addresses = { 4: ['10.9.0.1', '10.9.0.2', '10.9.0.77'], 6: ['fd00::1', 'fd00::2', 'fd00::77'] } as const
/** Frames go through four processes here, which may not be alone on their machine. */
const SLOW = 5
const NAME = 'server.example.org'

async function onBridge({ within }: Namespace, family: 4 | 6): Promise<Network> {
  const machine = nodeMachine()
  const [mine, its, nobody] = addresses[family]
  const devices = await Promise.all(['tap0', 'tap1'].map(name => openTap(name, { ...quiet, within })))
  const config = (address: string) => (family === 4 ? { address, prefix: 24 } : { ipv6: { address, prefix: 64 } })
  const client = createStack(machine, devices[0], { ...config(mine), dns: [its] })
  const server = createStack(machine, devices[1], config(its))
  serveName(server, NAME, its)
  // A new address of IPv6 is looked for on the link first (RFC 4862 section 5.4): until then nobody answers for it.
  await client.tcp.connect({ host: its, port: 9 }).catch(() => {})
  let last = 1000
  return {
    client,
    server,
    address: its,
    name: NAME,
    port: () => ++last,
    silent: () => ({ address: nobody, port: 9 }),
    sleep: milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds * SLOW)),
    run: work => work,
    async close() {
      client.close()
      server.close()
      await Promise.all(devices.map(device => device.close()))
    },
  }
}

if (mayTap()) {
  const namespaces: Namespace[] = []
  test.after.always(() => {
    for (const namespace of namespaces) namespace.end()
  })
  const made = async (script: string): Promise<Namespace> => {
    const namespace = await makeNamespace(script)
    namespaces.push(namespace)
    return namespace
  }
  for (const family of [4, 6] as const) {
    const cases = socketCases(`tap, IPv${family}`, async () => onBridge(await made(bridge), family))
    for (const [name, run] of Object.entries(cases)) {
      // One after the other: each has processes of its own, and the cases wait for what takes no time on a wire.
      test.serial(name, async t => {
        await run(assert)
        t.pass()
      })
    }
  }

  test.serial('a device that another has, one that is none, one that is down, and one that is taken away', async t => {
    const { within, run } = await made('ip link add other0 type bridge; ip link set other0 up')
    const warnings: string[] = []
    const lost = Promise.withResolvers<Error>()
    const device = await openTap('tap0', { within, onLost: lost.resolve, onWarning: text => warnings.push(text) })
    t.deepEqual(warnings, ["tap0 is down: nothing goes through before 'ip link set tap0 up'"])
    device.send(device.reserve()!, 60) // lost
    await t.throwsAsync(openTap('tap0', { ...quiet, within }), { instanceOf: UsageError, message: /^--tap: another program uses tap0: / })
    await t.throwsAsync(openTap('other0', { ...quiet, within }), {
      instanceOf: UsageError,
      message: /other0 exists, and is not a tap device/,
    })
    run('ip', 'link', 'set', 'tap0', 'up', 'mtu', '9000')
    run('ip', 'link', 'del', 'tap0')
    t.regex((await lost.promise).message, /^--tap: tap0 is lost: its helper ended \(1\) use EBADFD$/)
    const again = await openTap('tap0', { ...quiet, within })
    t.is(again.mtu, 1500)
    await again.close()
  })

  test.serial('a user who is not root', async t => {
    const { within } = await made('')
    const asNobody = [...within, 'setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', 'env', 'PATH=/usr/bin:/bin']
    await t.throwsAsync(openTap('tap0', { ...quiet, within: asNobody }), {
      instanceOf: UsageError,
      message:
        /^--tap: this user may not (open \/dev\/net\/tun: run the program as root|use tap0: run the program as root, or make the device)/,
    })
  })
} else {
  test('who may not have a device is told why', async t => {
    await t.throwsAsync(openTap('xents-test0', quiet), {
      instanceOf: UsageError,
      message: /^--tap: (this user may not |there is no \/dev\/net\/tun: load the module)/,
    })
  })
}

test('names that no device has, and a host without Python', async t => {
  for (const name of ['', 'a b', 'tap%d', 'a/b', 'x'.repeat(16)])
    await t.throwsAsync(openTap(name, quiet), { instanceOf: UsageError, message: /is not the name of a device/ })
  await t.throwsAsync(openTap('tap0', { ...quiet, within: ['/nowhere/python3'] }), {
    instanceOf: UsageError,
    message:
      '--tap: there is no python3, which opens the tap device, since Node cannot: install it (apt install python3), or leave --tap out',
  })
})
