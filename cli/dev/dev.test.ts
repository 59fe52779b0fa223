/** `xen-ts dev` with real processes, files and requests. */
import { once } from 'node:events'
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { folderOf } from '../build/testing.ts'
import { dev } from './testing.ts'

const websiteFolder = fileURLToPath(new URL('../../examples/website', import.meta.url))

const answers = (text: string) => `export default { fetch: () => new Response(${JSON.stringify(text)}) }\n`
const body = async (url: string): Promise<string> => (await fetch(url)).text()

test('a change of the program, of a module, and of an asset: the next answer has it', async t => {
  const root = folderOf(t, {
    'app.ts': `import { assets, http, unikernel } from 'xen-ts'
import { word } from './lib/word.ts'
export default unikernel({ name: 'app', devices: { http: http(), site: assets('./site') }, async start({ http, site, signal }) {
  await http.serve({ port: 80, signal }, async request => (await site.respond(request)) ?? new Response(word))
} })`,
    'lib/word.ts': "export const word = 'one'\n",
    'site/a.txt': 'asset one',
  })
  const running = dev(t, root)
  const url = await running.url()
  t.is(await body(`${url}/`), 'one')
  t.is(await body(`${url}/a.txt`), 'asset one')
  await running.says('listening')
  writeFileSync(join(root, 'lib/word.ts'), "export const word = 'two'\n")
  await running.says('restarted in')
  t.is(await body(`${url}/`), 'two')
  writeFileSync(join(root, 'site/a.txt'), 'asset two')
  await running.says('restarted in')
  t.is(await body(`${url}/a.txt`), 'asset two')
  mkdirSync(join(root, 'site/deep/er'), { recursive: true })
  writeFileSync(join(root, 'site/deep/er/b.txt'), 'deep')
  await running.says('restarted in')
  // As editors do it: another file takes the name.
  writeFileSync(join(root, 'lib/.word.ts~'), "export const word = 'three'\n")
  renameSync(join(root, 'lib/.word.ts~'), join(root, 'lib/word.ts'))
  await running.says('restarted in')
  t.is(await body(`${url}/`), 'three')
  t.is(await body(`${url}/deep/er/b.txt`), 'deep')
})

test('what a module of the build reads: a file that changes, comes, or cannot be read any more, and a module that it imports', async t => {
  const root = folderOf(t, {
    'package.json': '{ "name": "app", "type": "module" }',
    'app.ts': "import { text } from './lib/text.build.ts'\nexport default { fetch: () => new Response(text) }\n",
    'lib/text.build.ts': `import { globSync, readdirSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { joined } from './joined.ts'
const folder = join(import.meta.dirname, '../notes')
const texts = await Promise.all(readdirSync(folder).sort().map(name => fs.readFile(join(folder, name), 'utf8')))
if (texts.includes('bad')) throw new Error('a bad note')
const deep = readdirSync(join(import.meta.dirname, '../deep'), { recursive: true }).length
export const text = joined([...texts, deep, globSync('*.md', { cwd: join(import.meta.dirname, '../globbed') }).join('')])\n`,
    'lib/joined.ts': "export const joined = (texts: unknown[]) => texts.join(' ')\n",
    'notes/a.txt': 'one',
    'deep/a/b/c.txt': '',
    'globbed/readme.md': '',
  })
  const running = dev(t, root)
  const url = await running.url()
  t.is(await body(url), 'one 3 readme.md')
  await running.says('listening')
  const change = async (file: string, text: string, shown: string): Promise<void> => {
    writeFileSync(join(root, file), text)
    await running.says('restarted in')
    t.is(await body(url), shown)
  }
  await change('notes/a.txt', 'two', 'two 3 readme.md')
  await change('notes/b.txt', 'three', 'two three 3 readme.md')
  await change('deep/a/b/d.txt', '', 'two three 4 readme.md')
  await change('globbed/new.md', '', 'two three 4 new.mdreadme.md')
  await change('lib/joined.ts', "export const joined = (texts: unknown[]) => texts.join('-')\n", 'two-three-4-new.mdreadme.md')
  writeFileSync(join(root, 'notes/b.txt'), 'bad')
  await running.says('a bad note')
  await running.says('the program that runs is the last one that could be built')
  await change('notes/b.txt', 'good', 'two-good-4-new.mdreadme.md')
  rmSync(join(root, 'notes/a.txt'))
  await running.says('restarted in')
  t.is(await body(url), 'good-4-new.mdreadme.md')
})

test('the website example: it runs as it is, with its arguments; Ctrl-C ends it in good order, and nothing is left', async t => {
  const root = folderOf(t, {})
  cpSync(websiteFolder, root, { recursive: true })
  symlinkSync(fileURLToPath(new URL('../../node_modules', import.meta.url)), join(root, 'node_modules'))
  const running = dev(t, root, '--', '--greeting=Moin')
  const url = await running.url()
  t.is(await body(`${url}/greeting`), `Moin from ${url.slice('http://'.length)}\n`)
  await running.says(`listening on ${url.replace('127.0.0.1', 'localhost')}/\n`)
  running.child.kill('SIGINT')
  t.is(await running.ended, 0)
  t.regex(running.log(), /\[www\] shutdown requested: poweroff\n$/)
  await t.throwsAsync(fetch(url))
})

test('a syntax error: the program goes on; once it is mended, the new one runs', async t => {
  const root = folderOf(t, { 'app.ts': answers('one') })
  const running = dev(t, root)
  const url = await running.url()
  t.is(await body(url), 'one')
  writeFileSync(join(root, 'app.ts'), 'export default {\n')
  await running.says('error: ')
  await running.says('app.ts:2:1')
  await running.says('the program that runs is the last one that could be built')
  t.is(await body(url), 'one')
  writeFileSync(join(root, 'app.ts'), answers('two'))
  await running.says('restarted in')
  t.is(await body(url), 'two')
})

test('a program that cannot be built at first: pages say why, and it runs when it is mended', async t => {
  const root = folderOf(t, { 'app.ts': "import { word } from './word.ts'\nexport default { fetch: () => new Response(word) }\n" })
  const running = dev(t, root)
  const url = await running.url()
  await running.says('word.ts')
  const answer = await fetch(url, { headers: { accept: 'text/html' } })
  t.is(answer.status, 503)
  const page = await answer.text()
  t.regex(page, /word\.ts/)
  t.regex(page, /<script src="\/@xen-ts\/reload\.js"><\/script>/)
  writeFileSync(join(root, 'word.ts'), "export const word = 'here'\n")
  await running.says('listening')
  t.is(await body(url), 'here')
})

test('a module is deleted, and comes back', async t => {
  const root = folderOf(t, {
    'app.ts': "import { word } from './lib/word.ts'\nexport default { fetch: () => new Response(word) }\n",
    'lib/word.ts': "export const word = 'one'\n",
  })
  const running = dev(t, root)
  const url = await running.url()
  t.is(await body(url), 'one')
  rmSync(join(root, 'lib'), { recursive: true })
  await running.says('error: ')
  t.is(await body(url), 'one')
  mkdirSync(join(root, 'lib'))
  writeFileSync(join(root, 'lib/word.ts'), "export const word = 'two'\n")
  await running.says('restarted in')
  t.is(await body(url), 'two')
  rmSync(join(root, 'app.ts'))
  await running.says('error: ')
  writeFileSync(join(root, 'app.ts'), answers('three'))
  await running.says('restarted in')
  t.is(await body(url), 'three')
})

test('a program that crashes at its start: the place in TypeScript; the next change runs', async t => {
  const root = folderOf(t, {
    'app.ts': `import { unikernel } from 'xen-ts'

interface Nothing { a: number }
export default unikernel({ name: 'app', start() {
  throw new Error('broken')
} })`,
  })
  const running = dev(t, root)
  const url = await running.url()
  await running.says('Error: broken')
  await running.says(/at .*app\.ts:5:9/)
  await running.says('exit code 1; waiting for a change')
  t.is((await fetch(url)).status, 503)
  writeFileSync(join(root, 'app.ts'), answers('mended'))
  await running.says('listening')
  t.is(await body(url), 'mended')
})

test('a request that comes while there is no program waits for it', async t => {
  const root = folderOf(t, { 'app.ts': answers('one') })
  const running = dev(t, root)
  const url = await running.url()
  // At once: nothing is built yet.
  const early = body(url)
  t.is(await early, 'one')
  const codes = new Set<string>()
  let done = false
  const asking = (async () => {
    while (!done) codes.add(await body(url))
  })()
  await running.says('listening')
  for (const text of ['two', 'three']) {
    writeFileSync(join(root, 'app.ts'), answers(text))
    await running.says('restarted in')
  }
  done = true
  await asking
  t.deepEqual(
    [...codes].filter(code => !['one', 'two', 'three'].includes(code)),
    [],
  )
})

test('pages are told of the next program; what is no page stays as it is', async t => {
  const root = folderOf(t, {
    'app.ts': `export default { fetch: (request: Request) => new URL(request.url).pathname === '/text'
  ? new Response('text') : new Response('<h1>one</h1>', { headers: { 'content-type': 'text/html' } }) }\n`,
  })
  const running = dev(t, root)
  const url = await running.url()
  const asHtml = { headers: { accept: 'text/html,*/*' } }
  t.is(await (await fetch(url, asHtml)).text(), '<h1>one</h1><script src="/@xen-ts/reload.js"></script>')
  t.is(await body(url), '<h1>one</h1>')
  t.is(await (await fetch(url, { headers: { accept: 'text/html', 'sec-fetch-dest': 'empty' } })).text(), '<h1>one</h1>')
  t.is(await (await fetch(`${url}/text`, asHtml)).text(), 'text')
  t.regex(await body(`${url}/@xen-ts/reload.js`), /location\.reload\(\)/)
  const events = await fetch(`${url}/@xen-ts/events`)
  const reader = events.body!.pipeThrough(new TextDecoderStream()).getReader()
  await running.says('listening')
  writeFileSync(join(root, 'app.ts'), answers('two'))
  let told = ''
  while (!told.includes('event: reload')) told += (await reader.read()).value
  t.is(await body(url), 'two')
  await reader.cancel()
})

test('WebSockets go through; a body comes in the parts in which it is sent; fields stay as they are', async t => {
  const root = folderOf(t, {
    'app.ts': `import { upgradeWebSocket } from 'xen-ts'
let next = () => {}
export default { async fetch(request: Request) {
  const { pathname } = new URL(request.url)
  if (pathname === '/next') return next(), new Response('done')
  if (pathname === '/fields') return new Response(await request.text(), { status: 418, headers: [['set-cookie', 'a=1'], ['set-cookie', 'b=2']] })
  if (pathname === '/parts') return new Response(new ReadableStream({ async start(controller) {
    for (const part of ['one', 'two']) {
      controller.enqueue(new TextEncoder().encode(part))
      await new Promise<void>(resolve => { next = resolve })
    }
    controller.close()
  } }))
  const { socket, response } = upgradeWebSocket(request)
  socket.addEventListener('message', (event: any) => socket.send('echo ' + event.data))
  return response
} }\n`,
  })
  const running = dev(t, root)
  const url = await running.url()
  await running.says('listening')
  const socket = new WebSocket(url.replace('http', 'ws'))
  await once(socket, 'open')
  socket.send('text')
  const [message] = await once(socket, 'message')
  t.is(message.data, 'echo text')
  socket.close()
  const reader = (await fetch(`${url}/parts`)).body!.pipeThrough(new TextDecoderStream()).getReader()
  for (const part of ['one', 'two']) {
    t.is((await reader.read()).value, part)
    await body(`${url}/next`)
  }
  t.true((await reader.read()).done)
  const fields = await fetch(`${url}/fields`, { method: 'POST', body: 'x'.repeat(100_000) })
  t.deepEqual([fields.status, fields.headers.getSetCookie(), (await fields.text()).length], [418, ['a=1', 'b=2'], 100_000])
})

test('--no-reload leaves answers alone', async t => {
  const root = folderOf(t, {
    'app.ts': `export default { fetch: () => new Response('<h1>one</h1>', { headers: { 'content-type': 'text/html' } }) }\n`,
  })
  const running = dev(t, root, '--no-reload')
  const url = await running.url()
  t.is(await (await fetch(url, { headers: { accept: 'text/html' } })).text(), '<h1>one</h1>')
})

test('what changes nothing starts nothing', async t => {
  const root = folderOf(t, { 'app.ts': answers('one'), 'notes.md': 'text' })
  const running = dev(t, root)
  const url = await running.url()
  t.is(await body(url), 'one')
  await running.says('listening')
  writeFileSync(join(root, 'notes.md'), 'other text')
  utimesSync(join(root, 'app.ts'), new Date(), new Date())
  writeFileSync(join(root, 'app.ts'), answers('one'))
  writeFileSync(join(root, 'app.ts'), answers('two'))
  t.false((await running.says('restarted in')).includes('restarted'))
  t.is(await body(url), 'two')
  t.is(running.log().split('listening on').length, 3)
})

test('a port that is taken: the one asked for is an error, else the next is used', async t => {
  const root = folderOf(t, { 'app.ts': answers('one') })
  const holder = createServer().listen(0, '127.0.0.1')
  t.teardown(() => holder.close())
  await once(holder, 'listening')
  const { port } = holder.address() as AddressInfo
  const refused = dev(t, root, '--port', `${port}`)
  t.is(await refused.ended, 1)
  t.regex(refused.log(), new RegExp(`error: port ${port} of localhost is in use\n`))
  const usual = createServer().listen(8080, '127.0.0.1')
  t.teardown(() => usual.close())
  // Who else may have it: it is taken.
  await once(usual, 'listening').catch(() => {})
  const other = dev(t, root, '--port', 'default')
  const url = await other.url()
  t.not(new URL(url).port, '8080')
  t.regex(other.log(), /^xen-ts: port 8080 of localhost is in use: http:/)
  t.is(await body(url), 'one')
})

test('nothing to run: a folder without a program, and a program for another target', async t => {
  const empty = dev(t, folderOf(t, { 'readme.md': '' }))
  t.is(await empty.ended, 1)
  t.regex(empty.log(), /error: there is no program in /)
  const words = dev(t, '.', 'other')
  t.is(await words.ended, 1)
  t.regex(words.log(), /error: there is one program at a time, and these are 2/)
})

test('a program may have threads of its own', async t => {
  const root = folderOf(t, {
    'app.ts': `import { unikernel } from 'xen-ts'
import { Worker } from 'node:worker_threads'
export default unikernel({ name: 'app', async start({ log }) {
  const thread = new Worker(new URL('data:text/javascript,import { parentPort } from "node:worker_threads"; parentPort.postMessage("from a thread")'))
  log.info(await new Promise<string>((resolve, reject) => thread.once('message', resolve).once('error', reject)))
} })\n`,
  })
  const running = dev(t, root)
  await running.says('from a thread')
  await running.says('exit code 0; waiting for a change')
  t.pass()
})

test('a program that does not end is ended before the next one begins; that of a tool which was killed ends as well', async t => {
  const root = folderOf(t, {
    'app.ts': `import { unikernel } from 'xen-ts'
export default unikernel({ name: 'app', async start({ log }) { log.info('pid ' + process.pid); await new Promise(() => {}) } })
declare const process: { pid: number }\n`,
  })
  const running = dev(t, root)
  await running.says('pid ')
  const pid = async (): Promise<number> => Number(await running.says('\n'))
  const first = await pid()
  writeFileSync(join(root, 'app.ts'), `${readFileSync(join(root, 'app.ts'), 'utf8').replace('pid ', 'PID ')}`)
  await running.says('PID ')
  const second = await pid()
  t.throws(() => process.kill(first, 0), { code: 'ESRCH' })
  t.notThrows(() => process.kill(second, 0))
  running.child.kill('SIGKILL')
  await running.ended
  for (;;) {
    try {
      process.kill(second, 0)
    } catch {
      break
    }
    await new Promise(resolve => setTimeout(resolve, 10))
  }
  t.pass()
})
