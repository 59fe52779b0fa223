/** `xen-ts dev --xen`: a change becomes another domain on the same machine. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { folderOf } from '../build/testing.ts'
import { dev } from './testing.ts'

const answers = (text: string) => `export default { fetch: () => new Response(${JSON.stringify(text)}) }\n`
const body = async (url: string): Promise<string> => (await fetch(url)).text()

test('a change, an error of the build, a crash: the next domain answers, and Ctrl-C ends it all', async t => {
  const root = folderOf(t, { 'app.ts': answers('one') })
  const running = dev(t, root, '--xen', '-t', 'qubes')
  const url = await running.url()
  t.is(await body(url), 'one')
  await running.says('listening')
  const begun = performance.now()
  writeFileSync(join(root, 'app.ts'), answers('two'))
  await running.says('restarted in')
  t.log(`${(performance.now() - begun).toFixed(0)} ms`)
  t.is(await body(url), 'two')
  writeFileSync(join(root, 'app.ts'), 'export default {\n')
  await running.says('the program that runs is the last one that could be built')
  t.is(await body(url), 'two')
  writeFileSync(
    join(root, 'app.ts'),
    "import { unikernel } from 'xen-ts'\nexport default unikernel({ name: 'app', start() {\n  throw new Error('broken')\n} })\n",
  )
  await running.says('Error: broken')
  await running.says(/app\.ts:3:\d+/)
  await running.says('crash; waiting for a change')
  writeFileSync(join(root, 'app.ts'), answers('three'))
  await running.says('listening')
  t.is(await body(url), 'three')
  running.child.kill('SIGINT')
  t.is(await running.ended, 0)
})
