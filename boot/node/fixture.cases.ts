/** Cases for suite.test.ts: most of them must fail. */
import { cases } from './cases.ts'

export default cases({
  'passes': t => {
    t.is(typeof (globalThis as { process?: unknown }).process, 'undefined')
    t.deepEqual({ list: [1, new Uint8Array([1, 2])] }, { list: [1, new Uint8Array([1, 2])] })
    t.throws(() => { throw new RangeError('out') }, { name: 'RangeError', message: /out/ })
  },
  'fails': t => {
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
  'expects an error in vain': t => { t.throws(() => 5) },
  'rejects as expected': async t => { t.is((await t.rejects(Promise.reject(new TypeError('x')))).message, 'x') },
})
