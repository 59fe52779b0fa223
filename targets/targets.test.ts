/** The targets as the tool sees them, and connected to a simulated Xen. */
import { readdirSync } from 'node:fs'
import { SimulatedXen } from '@xen-ts/drivers/sim'
import { type Connect, elsewhere, type Lifecycle, type Platform, type Target, type TargetContext } from '@xen-ts/runtime'
import type { XenMachine } from '@xen-ts/runtime/machine'
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
  const { machine } = guest
  const stop = new AbortController()
  const context: TargetContext<any, XenMachine> = {
    machine,
    lifecycle: {
      signal: stop.signal,
      request: (reason: string) => {
        requests.push(reason)
      },
      onShutdown: (_name: string, close: () => unknown) => closers.push(close),
    } as unknown as Lifecycle,
    log: machine.log(name),
    signal: stop.signal,
    args: { ip: '10.0.0.2/24', gateway: '', dns: [] },
    program: { name: 'test', version: undefined },
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
