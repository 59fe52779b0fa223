import test from 'ava'
import { connectDrivers, serveControl } from './index.ts'
import { restore, SimulatedXen } from './sim/index.ts'
import './sim/leak-check.ts'

const setUp = () => {
  const xen = new SimulatedXen()
  const domain = xen.createDomain(1)
  const drivers = connectDrivers(domain.machine)
  const asked: string[] = []
  const control = serveControl(drivers, request => asked.push(request))
  const path = '/local/domain/1/control'
  return {
    xen,
    domain,
    control,
    asked,
    ask: (request: string) => xen.store.write(`${path}/shutdown`, request),
    read: (key: string) => xen.store.read(`${path}/${key}`),
  }
}

const features = ['poweroff', 'reboot', 'suspend']

test('what the domain obeys is announced at once', async t => {
  const { xen, control, read } = setUp()
  await xen.settle()
  t.deepEqual(
    features.map(name => read(`feature-${name}`)),
    ['1', '1', '1'],
  )
  control.close()
})

for (const request of ['poweroff', 'reboot', 'halt', 'crash']) {
  test(`${request} is acknowledged and reported once`, async t => {
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

test('a request that was there before we were is obeyed', async t => {
  const { xen, control, asked, ask } = setUp()
  ask('poweroff')
  await xen.settle()
  t.deepEqual(asked, ['poweroff'])
  control.close()
})

test('nonsense is acknowledged, warned about and ignored; a key that is gone or forbidden does no harm', async t => {
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

test('suspend is acknowledged and obeyed, again and again, and nobody else is asked', async t => {
  const { xen, domain, control, asked, ask, read } = setUp()
  const resumed: boolean[] = []
  domain.machine.suspension.onResume(cancelled => resumed.push(cancelled))
  let suspended = 0
  domain.onSuspend = () => {
    t.is(read('shutdown'), '')
    suspended++
    return 1
  }
  for (const times of [1, 2]) {
    ask('suspend')
    await xen.settle()
    t.deepEqual([suspended, resumed.length], [times, times])
  }
  t.deepEqual(resumed, [true, true])
  ask('poweroff')
  await xen.settle()
  t.deepEqual(asked, ['poweroff'])
  control.close()
  await xen.settle()
  xen.assertNoLeaks()
})

test('after a restore the new domain is told what it obeys, and obeys', async t => {
  const { xen, domain, control, asked, ask } = setUp()
  domain.onSuspend = () => restore(domain, 7)
  ask('suspend')
  await xen.settle()
  t.deepEqual(
    features.map(name => xen.store.read(`/local/domain/7/control/feature-${name}`)),
    ['1', '1', '1'],
  )
  domain.onSuspend = () => restore(domain, 8)
  xen.store.write('/local/domain/7/control/shutdown', 'suspend')
  await xen.settle()
  xen.store.write('/local/domain/8/control/shutdown', 'reboot')
  await xen.settle()
  t.deepEqual(asked, ['reboot'])
  t.is(xen.store.read('/local/domain/8/control/shutdown'), '')
  control.close()
  await xen.settle()
  xen.assertNoLeaks()
  domain.onSuspend = () => restore(domain, 9)
  await xen.run(domain.machine.suspension.suspend())
  await xen.settle()
  t.is(xen.store.read('/local/domain/9/control/feature-poweroff'), '') // nobody serves it any more
})

test('a request that comes while the domain is suspended is obeyed after it', async t => {
  const { xen, domain, control, asked, ask } = setUp()
  domain.onSuspend = () => {
    ask('poweroff')
    return 1
  }
  ask('suspend')
  await xen.settle()
  t.deepEqual(asked, ['poweroff'])
  control.close()
  await xen.settle()
  xen.assertNoLeaks()
})

test('a toolstack that asks for what nobody knows, again and again, does not fill the log', async t => {
  const { xen, domain, control, ask } = setUp()
  await xen.settle()
  for (let i = 0; i < 30; i++) {
    ask(`dance ${i}`)
    await xen.settle()
  }
  t.is(domain.log.filter(({ text }) => text.includes('which this domain does not know')).length, 1)
  await xen.advance(1000)
  ask('sing')
  await xen.settle()
  t.regex(domain.log.at(-1)!.text, /asks for "sing", .* \(and 29 warnings before it\)$/)
  control.close()
})
