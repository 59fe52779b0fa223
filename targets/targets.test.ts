/** The targets as the tool sees them, and connected to a simulated Xen. */
import { readdirSync } from 'node:fs'
import { type Channels, connectDrivers } from '@xen-ts/drivers'
import { SimulatedXen } from '@xen-ts/drivers/sim'
import { type Connect, elsewhere, type Lifecycle, type Platform, type Target, type TargetContext } from '@xen-ts/runtime'
import type { XenMachine } from '@xen-ts/runtime/machine'
import { vchanChannels } from '@xen-ts/vchan'
import test from 'ava'
import * as targets from './index.ts'
import '@xen-ts/drivers/sim/leak-check'

const all: readonly Target[] = Object.values(targets)

const connectOf = async (name: string): Promise<Connect> => (await import(`./${name}/connect.ts`)).connect

/** Connects a target in a domain of its own. */
async function setUp(name: string, xen = new SimulatedXen()) {
  const dom0 = xen.createDomain(0)
  const guest = xen.createDomain(5)
  const requests: string[] = []
  const closers: (() => unknown)[] = []
  const lasts: (() => void)[] = []
  const { machine } = guest
  const stop = new AbortController()
  const context: TargetContext<any, XenMachine> = {
    machine,
    lifecycle: {
      signal: stop.signal,
      onEnd: (run: () => void) => lasts.push(run),
      request: (reason: string) => {
        requests.push(reason)
      },
      onShutdown: (_name: string, close: () => unknown) => closers.push(close),
    } as unknown as Lifecycle,
    log: Object.assign(machine.log(name), { recent: () => [], tap: () => () => {} }),
    signal: stop.signal,
    args: {
      ipv4: name === 'unix' ? '' : '10.0.0.2/24',
      ipv4Gateway: '',
      ipv6: '',
      ipv6Gateway: '',
      dns: [],
      dhcp: false,
      portMap: [],
      net: undefined,
      tap: '',
    },
    program: { name: 'test', version: undefined },
    kinds: new Set(),
    use: async () => {
      throw new Error('not here')
    },
  }
  const platform: Platform = await (await connectOf(name))(context)
  return {
    xen,
    guest,
    platform,
    requests,
    context,
    dom0,
    lasts,
    async finish() {
      stop.abort()
      const closed = Promise.all(closers.map(close => close()))
      await xen.run(closed)
      guest.destroy()
      dom0.destroy()
    },
  }
}

test('a folder is a target, with target.ts and connect.ts, and its name is that of the folder and of its export', t => {
  const folders = readdirSync(import.meta.dirname, { withFileTypes: true }).filter(
    entry => entry.isDirectory() && entry.name !== 'node_modules',
  )
  t.deepEqual(folders.map(folder => folder.name).sort(), Object.keys(targets).sort())
  for (const { name } of folders) {
    t.is((targets as Record<string, Target>)[name].name, name)
    const files = readdirSync(`${import.meta.dirname}/${name}`)
    t.deepEqual(
      ['connect.ts', 'target.ts'].filter(file => !files.includes(file)),
      [],
    )
  }
})

test('the devices of qubes exist there only, those of a domain on both', t => {
  const both = [targets.xen, targets.qubes]
  t.deepEqual(elsewhere(targets.xen, both), { qubesdb: ['qubes'], qrexec: ['qubes'], screen: ['qubes'] })
  t.deepEqual(elsewhere(targets.qubes, both), {})
})

for (const { name, kinds } of all) {
  test(`${name}: provides what it says, no less and no more`, async t => {
    const { platform, finish } = await setUp(name)
    t.deepEqual(Object.keys(platform.provide).sort(), Object.keys(kinds).sort())
    await finish()
  })

  test(`${name}: two domains have nothing in common`, async t => {
    const [first, second] = [await setUp(name), await setUp(name)]
    if (Object.hasOwn(kinds, 'xenstore')) {
      const store = ({ platform, context }: typeof first): unknown => platform.provide.xenstore({}, {}, context)
      t.is(store(first), store(first))
      t.not(store(first), store(second))
    }
    t.not(first.platform, second.platform)
    await first.finish()
    await second.finish()
  })
}

test('xen: a domain that crashes closes its vchans: the peer need not look for it', async t => {
  const { xen, platform, context, dom0, lasts, finish } = await setUp('xen')
  const channels = (await platform.provide.vchan({}, {}, context)) as Channels
  const peers = vchanChannels(connectDrivers(dom0.machine))
  const rings = { readSize: 4096, writeSize: 4096 }
  const [peer] = await xen.run(Promise.all([peers.connect(5, 600), channels.serve(0, 600, rings)]))
  let isClosed = false
  void peer.closed.then(() => {
    isClosed = true
  })
  for (const run of lasts) run()
  await xen.settle()
  t.true(isClosed)
  peer.close()
  await finish()
})
