/** Cases for suite.test.ts: most of them must fail. */
import { cases } from './cases.ts'

export default cases({
  passes: t => {
    t.is(typeof (globalThis as { process?: unknown }).process, 'undefined')
    t.deepEqual({ list: [1, new Uint8Array([1, 2])] }, { list: [1, new Uint8Array([1, 2])] })
    t.throws(
      () => {
        throw new RangeError('out')
      },
      { name: 'RangeError', message: /out/ },
    )
  },
  fails: t => {
    t.is(1, 2)
  },
  'fails later': async t => {
    await Promise.resolve()
    t.true(false, 'a message')
  },
  'never ends': () => new Promise(() => {}),
  'loses an error': async () => {
    Promise.reject(new Error('lost'))
  },
  'expects an error in vain': t => {
    t.throws(() => 5)
  },
  'timers run in order of time, which passes at once in the engine': async t => {
    const order: string[] = []
    const done = new Promise<void>(resolve => {
      setTimeout(() => {
        order.push('30')
        resolve()
      }, 30)
      setTimeout(() => order.push('10'), 10)
      clearTimeout(setTimeout(() => order.push('never'), 5))
      setTimeout(() => order.push('10 again'), 10)
    })
    await done
    t.deepEqual(order, ['10', '10 again', '30'])
  },
  'rejects as expected': async t => {
    t.is((await t.rejects(Promise.reject(new TypeError('x')))).message, 'x')
  },
})
