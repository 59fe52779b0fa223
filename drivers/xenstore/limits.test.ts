import '../sim/leak-check.ts'
import test from 'ava'
import { Xenstore, XenstoreError } from '../index.ts'
import { SimulatedXen } from '../sim/index.ts'

test('a directory whose names fill a key is told from a store that is full of keys', async t => {
  const xen = new SimulatedXen()
  const { machine } = xen.createDomain(1)
  const xenstore = new Xenstore(machine)
  let written = 0
  const error = await t.throwsAsync(
    xen.run(async () => {
      for (; ; written++) await xenstore.write(`data/many/a-key-with-a-rather-long-name-${String(written).padStart(3, '0')}`, '')
    }),
    { instanceOf: XenstoreError },
  )
  t.is(error.code, 'ENOSPC')
  t.is(written, Math.floor((2047 - 32) / 34))
  t.regex(
    error.message,
    /as many keys as the store allows .*or one key is larger than it may be .*names of the keys below it.*spread them over several/i,
  )
  // The same key in another directory is no problem.
  await xen.run(xenstore.write('data/others/one-more', ''))
})
