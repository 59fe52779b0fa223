import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { EventChannels } from '../event-channel.ts'
import { GrantTable } from '../grant-table.ts'
import { ForeignPages, SharedPages } from '../shared-pages.ts'
import { Xenstore } from '../xenstore/xenstore.ts'
import { SimulatedXen } from './index.ts'
import './leak-check.ts'

test('every kind of thing that is not given back is named', async t => {
  const xen = new SimulatedXen()
  const [one, two] = [xen.createDomain(1), xen.createDomain(2)]
  const pages = new SharedPages(one.machine, new GrantTable(one.machine), 3, 2, false, 'test')
  const foreign = new ForeignPages(two.machine, 1, pages.refs, false, 'test')
  const channel = new EventChannels(one.machine).allocUnbound(2, 'test', () => {})
  const timer = two.machine.timers.set(1000, () => {})
  const watch = new Xenstore(two.machine).watch('data', () => {})
  two.machine.ports.on(99, () => {})
  await xen.settle()
  const { message } = t.throws(() => xen.assertNoLeaks())
  for (const line of [
    /domain 1: event channel 2 to domain 2 is open/,
    /domain 1: 3 pages are allocated/,
    /domain 1: 3 grants are open: 8 9 10/,
    /domain 2: 3 pages are reserved, 3 of them mapped/,
    /domain 2: 1 timers are set/,
    /domain 2: a xenstore watch on data is set/,
    /domain 2: a handler is left for port 99/,
  ])
    t.regex(message, line)
  two.machine.ports.off(99)
  watch.close()
  timer.cancel()
  channel.close()
  foreign.release()
  pages.release()
  await xen.settle()
  t.notThrows(() => xen.assertNoLeaks())
})

const root = fileURLToPath(new URL('../../', import.meta.url))
/** The file that an import names, if it is one of this repository. */
function target(from: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return join(dirname(from), specifier)
  return specifier.startsWith('@xen-ts/') ? fileURLToPath(import.meta.resolve(specifier)) : undefined
}

/** Whether a file imports the simulated Xen, itself or by others. */
function simulates(file: string, seen = new Set<string>()): boolean {
  if (file === join(root, 'drivers/sim/xen.ts')) return true
  if (seen.has(file) || !existsSync(file)) return false
  seen.add(file)
  const imports = readFileSync(file, 'utf8').matchAll(/^(?:import|export) (?!type )(?:[^';]* from )?'([^']+)'/gm)
  return [...imports].some(([, specifier]) => {
    const next = target(file, specifier)
    return next !== undefined && simulates(next, seen)
  })
}

test('every test file that simulates a Xen has its leaks checked', t => {
  for (const [folder, least] of [
    ['drivers', 25],
    ['qubes', 5],
    ['stack', 1],
    ['targets', 1],
  ] as const) {
    const files = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).filter(
      file => file.endsWith('.test.ts') && !file.includes('node_modules'),
    )
    const simulating = files.filter(file => simulates(join(root, folder, file)))
    t.true(simulating.length >= least, `${simulating.length} of ${folder}`)
    const forgotten = simulating.filter(file => !/^import '.*leak-check(\.ts)?'$/m.test(readFileSync(join(root, folder, file), 'utf8')))
    t.deepEqual(forgotten, [], folder)
  }
})
