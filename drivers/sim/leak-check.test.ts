import test from 'ava'
import { readFileSync, readdirSync } from 'node:fs'
import { EventChannels } from '../event-channel.ts'
import { GrantTable } from '../grant-table.ts'
import { ForeignPages, SharedPages } from '../shared-pages.ts'
import { Xenstore } from '../xenstore.ts'
import { SimulatedXen } from './index.ts'
import './leak-check.ts'

test('every kind of thing that is not given back is named', async (t) => {
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
    /domain 1: event channel 2 to domain 2 is open/, /domain 1: 3 pages are allocated/, /domain 1: 3 grants are open: 8 9 10/, /domain 2: 3 pages are reserved, 3 of them mapped/,
    /domain 2: 1 timers are set/, /domain 2: a xenstore watch on data is set/, /domain 2: a handler is left for port 99/,
  ]) t.regex(message, line)
  two.machine.ports.off(99)
  watch.close()
  timer.cancel()
  channel.close()
  foreign.release()
  pages.release()
  await xen.settle()
  t.notThrows(() => xen.assertNoLeaks())
})

test('every test file of drivers that simulates a Xen has its leaks checked', (t) => {
  const folder = new URL('../', import.meta.url)
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.test.ts') && !file.includes('node_modules'))
  t.true(files.length > 20)
  for (const file of files) {
    const source = readFileSync(new URL(file, folder), 'utf8')
    const simulates = /^import .*(sim\/index|testing\/|testing)\.ts'/m.test(source) || /^import .*'\.\/index\.ts'/m.test(source) && file.startsWith('sim/')
    if (simulates) t.regex(source, /^import '.*leak-check\.ts'$/m, file)
  }
})
