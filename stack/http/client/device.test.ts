/** The client as a device. */
import test from 'ava'
import { httpClient } from './device.ts'

test('it needs a stack, and refuses limits that are none before anything is connected', t => {
  const { name, needs } = httpClient({ headTimeout: 5 })
  t.deepEqual([name, Object.values(needs).map(need => need.name)], ['http client', ['stack']])
  t.throws(() => httpClient({ connections: 0 }), {
    instanceOf: RangeError,
    message: /limits\.connections is 0: it must be a number from 1 on/,
  })
})

test('connected, it is a client on that stack, and ends with the program', async t => {
  const device = httpClient()
  const machine = { abi: {}, timers: { now: () => 0, set: () => ({ cancel() {} }) } }
  const failing = async () => {
    throw Object.assign(new Error('10.0.0.2 refused'), { code: 'ECONNREFUSED' })
  }
  const client = await device.connect!({ stack: { tcp: { connect: failing } } }, { machine } as never)
  const error = await t.throwsAsync(client.fetch('http://10.0.0.2/'), { instanceOf: TypeError, message: /10\.0\.0\.2 refused/ })
  t.is((error!.cause as { code: string }).code, 'ECONNREFUSED')
  ;(client as unknown as Disposable)[Symbol.dispose]()
  await t.throwsAsync(client.fetch('http://10.0.0.2/'), { message: /the client was closed/ })
})
