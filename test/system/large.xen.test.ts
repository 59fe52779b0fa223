/** Large memory, which needs a larger machine than the other tests. */
import test from 'ava'
import { XenTests } from './harness.ts'

const xen = new XenTests(test, { memoryMiB: 8704 })

test.serial('6 GiB: memory beyond the hole below 4 GiB is used', async t => {
  const { lines, reason } = await xen.run(t, 'programs/memory.ts', { args: 'mib=64', memory: 6144, seconds: 120 })
  t.is(reason, 'poweroff', lines.join('\n'))
  t.true(lines.some(line => line.includes('filled 64 MiB')))
  t.regex(lines[0], /6144 MiB/)
})
