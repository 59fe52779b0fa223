/** Web APIs of a program, in the bundle that the tool makes, in the guest's engine: a program's top level runs before any device. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runInEngine } from '@xen-ts/boot/testing'
import test, { type ExecutionContext } from 'ava'
import { bundleProgram } from './image-bundle.ts'
import { findProject } from './project.ts'
import { findTarget } from './targets.ts'

async function bundled(t: ExecutionContext, files: Record<string, string>, target = 'xen'): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'xen-ts-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  for (const [name, text] of Object.entries({ 'package.json': '{ "name": "p" }', ...files })) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return (await bundleProgram(findProject(folder), await findTarget(target, folder))).code
}

/** What the program says first, as JSON: `say(value)`. */
async function said(t: ExecutionContext, files: Record<string, string>): Promise<unknown> {
  const bundle = await bundled(t, files)
  let output = ''
  const say = "globalThis.say = value => __abi.consoleWrite(JSON.stringify(value) + '\\n');\n"
  try {
    await runInEngine({ bundle: say + bundle, output: text => (output += text) })
  } catch {
    // There is no Xen: the target cannot connect.
  }
  return JSON.parse(output.slice(0, output.indexOf('\n')))
}

test('globals are properties of the global object, however they are named', async t => {
  const names = await said(t, {
    'app.ts': `
const { Headers } = globalThis as any
say([
  typeof (globalThis as any).URL, new self.URL('http://a/b').pathname, new Headers({ a: 'b' }).get('a'), 'Request' in globalThis, globalThis['Response'].name,
  Object.keys(globalThis).filter(key => /^[A-Z]/.test(key)), self === globalThis, typeof window, navigator.userAgent,
  Object.getOwnPropertyDescriptor(globalThis, 'URL').writable, String(new Headers()), URL.name, globalThis.URL === URL,
])
export default {}`,
  })
  t.deepEqual(names, ['function', '/b', 'b', true, 'Response', [], true, 'undefined', 'xen-ts', true, '[object Headers]', 'URL', true])
})

test('a package may look for them too', async t => {
  const seen = await said(t, {
    'app.ts': "import { test } from 'features'\nsay(test())\nexport default {}",
    'node_modules/features/package.json': '{ "name": "features", "main": "index.js" }',
    'node_modules/features/index.js': `
const root = typeof self !== 'undefined' ? self : global
exports.test = () => ['ReadableStream', 'atob', 'structuredClone'].map(name => typeof root[name])`,
  })
  t.deepEqual(seen, ['function', 'function', 'function'])
})

test('what a program replaces is replaced for all who look at the global object', async t => {
  t.is(await said(t, { 'app.ts': `globalThis.atob = () => 'mine'\nsay(globalThis.atob('x'))\nexport default {}` }), 'mine')
})

test('who names nothing has nothing of it: no streams, no events', async t => {
  const small = await bundled(t, {
    'app.ts':
      "import { unikernel } from 'xen-ts'\n// ReadableStream\nexport default unikernel({ name: 'p', async start() { for await (const one of [1]) one } })",
  })
  t.false(/ReadableByteStreamController|PromiseRejectionEvent|structuredClone/.test(small))
  const pages = await bundled(t, { 'app.ts': "export default { fetch: () => new Response('<body>hello</body>') }" })
  t.false(/ReadableByteStreamController/.test(pages))
  const reads = await bundled(t, { 'app.ts': 'export default { fetch: request => new Response(request.body) }' })
  t.regex(reads, /ReadableByteStreamController/)
})

test('agents of Qubes need no streams; those of calls are streams where the program does more with them', async t => {
  const target = await findTarget('qubes', '.')
  for (const example of ['hello', 'skeleton', 'handler']) {
    const folder = fileURLToPath(new URL(`../../examples/${example}`, import.meta.url))
    t.false(/ReadableByteStreamController/.test((await bundleProgram(findProject(folder), target)).code), example)
  }
  const upper = await bundled(
    t,
    {
      'app.ts': `import { unikernel } from 'xen-ts'
import { qrexec } from '@xen-ts/qubes'
export default unikernel({ name: 'p', devices: { qrexec: qrexec() }, start({ qrexec }) {
  qrexec.service('Upper', ({ stdin, stdout }) => stdin.pipeThrough(upper()).pipeTo(stdout))
} })`,
    },
    'qubes',
  )
  t.regex(upper, /ReadableByteStreamController/)
})

test('a stream that the text of the program does not show is refused with what to do', async t => {
  const refusal = await said(t, {
    'app.ts': `
const key = ['bo', 'dy'].join('')
try { (new Response('x') as any)[key] } catch (error) { say(String(error)) }
export default {}`,
  })
  t.regex(String(refusal), /^TypeError: this image has no streams: name ReadableStream in the program/)
})
