/** Images with machine code: what is chosen, and what it takes. */
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { makeImage, type Stage } from '../build/build.ts'
import { findProject } from '../build/project.ts'
import { checkProgram } from '../check/check.ts'
import { htmlReport } from '../check/html.ts'
import { textReport } from '../check/text.ts'

const silent: Stage = async (_, work) => work()
const app = fileURLToPath(new URL('../../examples/handler', import.meta.url))
const image = (native?: string) => makeImage(findProject(app), { target: 'xen', native }, silent)

test('as much as it may take, and not a byte more', async t => {
  const none = await image('none')
  const [some, more] = [await image('60K'), await image('200K')]
  t.deepEqual(none.native, [])
  const grown = (made: typeof some) => made.composed.image.length - none.composed.image.length
  // Code begins on a page of its own.
  t.true(grown(some) > 30 << 10 && grown(some) <= (60 << 10) + 4096, `${grown(some)}`)
  t.true(grown(more) > 150 << 10 && grown(more) <= (200 << 10) + 4096, `${grown(more)}`)
  t.true(more.native.length > some.native.length)
  t.is((await image('60K')).composed.sha256, some.composed.sha256)
})

test('auto: the hottest of xen-ts that were compiled with the kernel, and nothing else', async t => {
  const { native, composed } = await image('auto')
  const files = native.map(({ file }) => file)
  for (const folder of ['stack/', 'drivers/netfront/', 'runtime/'])
    t.true(
      files.some(file => file.startsWith(folder)),
      folder,
    )
  t.false(files.some(file => file.startsWith('cli/') || file.includes('examples/')))
  t.true(native.length > 80, `${native.length} functions: does make kernel compile what programs have?`)
  t.true(composed.sizes['compiled code'] <= (512 << 10) + (64 << 10), `${composed.sizes['compiled code']}`)
})

test('all: every function', async t => {
  const { native, composed } = await image('all')
  t.true(native.length > 1000)
  t.true(composed.sizes['compiled code'] > 1 << 20)
})

test('a check shows bytes and share of each', async t => {
  const report = await checkProgram(app, 'xen', '100K')
  t.true(report.native!.length > 10)
  t.true(report.native!.every(({ bytes }, i, all) => i === 0 || bytes <= all[i - 1].bytes))
  t.regex(textReport(report), /^machine code of \d+ functions +[\d.]+ KiB +100\.0%\n {2}\S+ \S+\.ts +[\d.]+ KiB +[\d.]+%$/m)
  t.regex(htmlReport(report), /<h2>Machine code<\/h2>\n<details><summary>[^\n]*\d+ functions/)
  t.notRegex(textReport(await checkProgram(app, 'xen')), /machine code/)
})
