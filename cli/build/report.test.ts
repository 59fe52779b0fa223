import test from 'ava'
import { sizeTree } from './report.ts'

test('the size tree shows bytes and share of the whole', t => {
  const lines = sizeTree({
    name: 'a.xen',
    bytes: 2048,
    parts: [
      { name: 'kernel', bytes: 1024 },
      { name: 'heap', bytes: 1024, parts: [{ name: 'program', bytes: 512 }] },
    ],
  })
  t.deepEqual(
    lines.map(line => line.replace(/ +/g, ' ')),
    ['a.xen 2.0 KiB 100.0%', '├─ kernel 1.0 KiB 50.0%', '└─ heap 1.0 KiB 50.0%', ' └─ program 0.5 KiB 25.0%'],
  )
})
