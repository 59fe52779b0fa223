import test from 'ava'
import { connectDrivers, serveControl } from './index.ts'
import type { ControlOptions } from './index.ts'
import { SimulatedXen } from './sim/index.ts'

const setUp = (options?: ControlOptions) => {
  const xen = new SimulatedXen()
  const domain = xen.createDomain(1)
  const drivers = connectDrivers(domain.machine)
  const asked: string[] = []
  const control = serveControl(drivers, (request) => asked.push(request), options)
  const path = '/local/domain/1/control'
  return { xen, domain, control, asked, ask: (request: string) => xen.store.write(`${path}/shutdown`, request), read: (key: string) => xen.store.read(`${path}/${key}`) }
}

test('the features are announced at once, and only those asked for', async (t) => {
  const all = setUp()
  await all.xen.settle()
  t.deepEqual(['poweroff', 'reboot', 'suspend'].map((name) => all.read(`feature-${name}`)), ['1', '1', '1'])
  const some = setUp({ features: ['poweroff'] })
  await some.xen.settle()
  t.deepEqual(['poweroff', 'reboot', 'suspend'].map((name) => some.read(`feature-${name}`)), ['1', '', ''])
})

for (const request of ['poweroff', 'reboot', 'halt', 'suspend', 'crash']) {
  test(`${request} is acknowledged and reported once`, async (t) => {
    const { xen, control, asked, ask, read } = setUp()
    await xen.settle()
    t.deepEqual(asked, []) // the first event of the watch is no request
    ask(request)
    await xen.settle()
    t.deepEqual(asked, [request])
    t.is(read('shutdown'), '')
    ask(request)
    await xen.settle()
    t.deepEqual(asked, [request, request])
    control.close()
    await xen.settle()
    xen.assertNoLeaks()
  })
}

test('a request that was there before we were is obeyed', async (t) => {
  const { xen, asked, ask } = setUp()
  ask('poweroff')
  await xen.settle()
  t.deepEqual(asked, ['poweroff'])
})

test('nonsense is acknowledged, warned about and ignored; a key that is gone or forbidden does no harm', async (t) => {
  const { xen, domain, asked, ask, control } = setUp()
  ask('explode'.repeat(100))
  await xen.settle()
  xen.store.remove('/local/domain/1/control/shutdown')
  await xen.settle()
  xen.store.write('/local/domain/1/control/shutdown', 'poweroff', [{ domid: 0, access: 0 }])
  await xen.settle()
  t.deepEqual(asked, [])
  const warnings = domain.log.filter(({ level }) => level === 'warn').map(({ text }) => text)
  t.true(warnings.length >= 1 && warnings.length <= 3)
  t.true(warnings[0].length < 200)
  control.close()
  await xen.settle()
  xen.assertNoLeaks()
})
