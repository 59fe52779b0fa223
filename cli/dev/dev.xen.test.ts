/** `xen-ts dev --xen`: what a person sees who changes a program, on one emulated machine from the first image to the last. */
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { folderOf } from '../build/testing.ts'
import { dev } from './testing.ts'

const body = async (url: string): Promise<string> => (await fetch(url)).text()
/** With a deadline: a request that leads nowhere shall not be what the test waits for. */
const page = async (url: string): Promise<string> =>
  (await fetch(url, { headers: { accept: 'text/html' }, signal: AbortSignal.timeout(60_000) })).text()

/** Emulated machines that a process has started. */
const machines = (pid: number): string[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter(child => readFileSync(`/proc/${child}/comm`, 'utf8').startsWith('qemu'))

test.serial('target xen: the next answer is that of the next program; an error leaves the old one; a crash, and Ctrl-C', async t => {
  t.timeout(600_000)
  const program = (text: string) => `import { assets, http, unikernel } from 'xen-ts'
export default unikernel({ name: 'app', devices: { http: http(), site: assets('./site') }, async start({ http, site, signal, log }) {
  log.info('${text} starts')
  await http.serve({ port: 8000, signal }, async request => (await site.respond(request)) ?? new Response('${text}'))
} })\n`
  const root = folderOf(t, { 'app.ts': program('one'), 'site/a.txt': 'asset one' })
  const app = join(root, 'app.ts')
  const running = dev(t, root, '--xen')
  const url = await running.url()
  // Asked before there is a machine.
  t.is(await body(url), 'one')
  t.is(await body(`${url}/a.txt`), 'asset one')
  const machine = machines(running.child.pid!)
  t.is(machine.length, 1)
  const events = (await fetch(`${url}/@xen-ts/events`)).body!.pipeThrough(new TextDecoderStream()).getReader()

  writeFileSync(app, program('two'))
  await running.says('shutdown requested: poweroff')
  await running.says('two starts')
  await running.says('restarted in')
  t.is(await body(url), 'two')
  let told = ''
  while (!told.includes('event: reload')) told += (await events.read()).value
  await events.cancel()
  writeFileSync(join(root, 'site/a.txt'), 'asset two')
  await running.says('restarted in')
  t.is(await body(`${url}/a.txt`), 'asset two')

  for (const [broken, message] of [
    ['export default {\n', 'app.ts:2:1'],
    [
      program('three').replace('http: http()', 'screen: screen()').replace('import', "import { screen } from '@xen-ts/qubes'\nimport"),
      'screen: only on target qubes',
    ],
  ]) {
    writeFileSync(app, broken)
    await running.says(message)
    await running.says('the program that runs is the last one that could be built')
    t.is(await body(url), 'two')
  }
  writeFileSync(
    app,
    "import { unikernel } from 'xen-ts'\n\nexport default unikernel({ name: 'app', start() {\n  throw new Error('broken')\n} })\n",
  )
  await running.says('Error: broken')
  await running.says(/at .*app\.ts:4:\d+/)
  await running.says(/xen-ts-build-\w+: crash; waiting for a change/)
  t.is((await fetch(url)).status, 503)
  writeFileSync(app, program('four'))
  await running.says('four starts')
  t.is(await body(url), 'four')
  t.deepEqual(machines(running.child.pid!), machine, 'it has stayed up')
  // As a terminal does it: for everything that the tool has started.
  process.kill(-running.child.pid!, 'SIGINT')
  t.is(await running.ended, 0)
  t.regex(running.log(), /shutdown requested: poweroff\n$/)
})

test.serial('the website, a qube: a change of a page and of a post is there', async t => {
  t.timeout(600_000)
  const root = folderOf(t, {})
  cpSync(fileURLToPath(new URL('../../examples/website', import.meta.url)), root, { recursive: true })
  symlinkSync(fileURLToPath(new URL('../../node_modules', import.meta.url)), join(root, 'node_modules'))
  const running = dev(t, root, '--xen', '--target', 'qubes', '--', '--greeting=Moin')
  const url = await running.url()
  t.regex(await body(`${url}/greeting`), /^Moin from /)
  t.regex(await page(url), /<script src="\/@xen-ts\/reload\.js"><\/script>$/)
  const times: string[] = []
  const change = async (file: string, from: string, to: string, shown: string): Promise<void> => {
    const path = join(root, file)
    writeFileSync(path, readFileSync(path, 'utf8').replace(from, to))
    await running.says('restarted in ')
    times.push(await running.says(' ms'))
    t.true((await page(url)).includes(shown), shown)
  }
  await change('posts/hello-from-xen.md', 'title: ', 'title: Changed ', 'Changed ')
  await change('pages/front-page.tsx', '<h1>{greeting}', '<h1>Another {greeting}', 'Another Moin')
  t.log(`restarted in ms: ${times.join(', ')}`)
})
