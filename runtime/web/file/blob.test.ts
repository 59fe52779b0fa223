import test from 'ava'
import * as ownWeb from '../inject.ts'
import { asInNode } from '../testing.ts'
import { blobScenarios } from './blob.cases.ts'

asInNode(test, blobScenarios, ownWeb)

test('a stream gives pieces of at most 64 KiB, which are copies', async t => {
  const blob = new ownWeb.Blob([new Uint8Array(100_000)])
  const reader = blob.stream().getReader()
  const sizes: number[] = []
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    sizes.push(piece.value.length)
    piece.value.fill(1)
  }
  t.deepEqual(sizes, [65_536, 34_464])
  t.true((await blob.bytes()).every(byte => byte === 0))
})

test('what is cut out of a blob, and files of it, share its bytes', t => {
  const { rss } = process.memoryUsage()
  const blob = new ownWeb.Blob([new Uint8Array(50_000_000)])
  const parts = Array.from({ length: 100 }, (_, i) => new ownWeb.File([blob.slice(i)], `${i}`))
  t.is(parts[99].size, 49_999_901)
  t.true(process.memoryUsage().rss - rss < 500_000_000)
})

test('the time of a file is a whole number, and its parts are not to be left out', t => {
  t.is(new ownWeb.File([], 'a', { lastModified: 12.7 }).lastModified, 12)
  t.throws(() => new ownWeb.File(undefined as never, 'a'), { instanceOf: TypeError })
})
