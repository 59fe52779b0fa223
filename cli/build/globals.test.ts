/** Global names that the image has not: a warning when it is built, and a hint when it is too late. */
import { absentNames } from '@xen-ts/runtime/machine'
import test from 'ava'
import { buildFolder, folderOf, program } from './testing.ts'

const warningsOf = async (...args: Parameters<typeof folderOf>) => (await buildFolder(folderOf(...args))).warnings

test('a name that does not exist: file, line, and what to do', async t => {
  const warnings = await warningsOf(t, {
    'app.ts': program('', `export const form = () => new FileReader()\nexport const twice = () => [new FileReader(), fetch('http://a')]`),
    'lib/unused.ts': 'export const blob = () => new FileReader()',
  })
  t.is(warnings.length, 2)
  t.regex(warnings[0], /^FileReader is not available in xen-ts: .* \(used 2 times\)\n.*app\.ts:2:31\n2 \| export const form = .*\n +\| +\^/)
  t.regex(warnings[1], /^fetch is not available in xen-ts: .*\n.*app\.ts:3:/)
})

test('a name that nobody knows, in a file of the program', async t => {
  t.regex((await warningsOf(t, { 'app.ts': program('say(nowhere)') }))[0], /^nowhere is not defined: it is neither/)
})

test('no warning for what asks first, or catches, or makes the name itself; and none for what is there', async t => {
  const warnings = await warningsOf(t, {
    'app.ts': program(
      `say(typeof MessageChannel !== 'undefined' ? new MessageChannel() : 0)
if ('Blob' in globalThis) say(new Blob())
if (globalThis.WebSocket) say(new WebSocket('ws://a'))
try { say(Buffer.from('a')) } catch {}
if (crypto.subtle) say(await crypto.subtle.digest('SHA-256', new Uint8Array()))
globalThis.made = 1; say(made)
const { File, x: [Image] } = say as any; for (const { Node = 1 } of [say as any]) say([File, Image, Node])
say([URL, Request, structuredClone, setTimeout, console, undefined, NaN, globalThis, global.x, process.env.NODE_ENV, { fetch: 1 }.fetch, crypto.getRandomValues])
class C { location = 1; static alert() { return arguments } }
window: for (;;) break window
say([C, function (Worker) { return Worker }, ({ caches, ...history }) => [caches, history], new.target])`,
      'declare const made: number, process: any, global: any',
    ).replaceAll('new.target', 'C'),
  })
  t.deepEqual(warnings, [])
})

test('packages: one warning for all that they name', async t => {
  const warnings = await warningsOf(t, {
    'app.ts': program('say(a)', `import a from '@some/pack'\nimport 'other'`),
    'node_modules/@some/pack/index.js': `import './more.js'\nexport default () => [Buffer.from('a'), process.argv, unheardOf]`,
    'node_modules/@some/pack/more.js': `globalThis.all = () => new Worker('a')`,
    'node_modules/@some/pack/package.json': '{"name":"@some/pack","type":"module"}',
    'node_modules/other/index.js': 'exports.a = () => document',
  })
  t.deepEqual(warnings, [
    'packages use globals that xen-ts does not have, and fail where they do so: @some/pack (Buffer, Worker, process), other (document)',
  ])
})

test('WebAssembly without a module: what to do instead', async t => {
  const [warning] = await warningsOf(t, { 'app.ts': program('say(await WebAssembly.instantiate(new Uint8Array()))') })
  t.regex(
    warning,
    /^WebAssembly is not available in xen-ts: it is there for modules that the program imports .*; take a build of the package in JavaScript.*\n.*app\.ts:4:/,
  )
})

test('none of the names that are said to be absent is there, and each is found', async t => {
  const names = absentNames()
  const { output, warnings } = await buildFolder(
    folderOf(t, {
      'app.ts': program(
        `say('there: ' + names.filter(name => name in globalThis))`,
        `declare const ${names.map(name => `${name}: any`).join(', ')}\nconst names = ${JSON.stringify(names)}\nexport const uses = () => [${names}]`,
      ),
    }),
  )
  t.regex(output, /there:\n/)
  t.deepEqual(warnings.map(text => text.split(' ')[0]).sort(), names.sort())
})

test('at run time the error says that the name is not available', async t => {
  const { output } = await buildFolder(folderOf(t, { 'app.ts': program('new (FileReader as any)()') }))
  t.regex(output, /ReferenceError: 'FileReader' is not defined\n[^]*FileReader is not available in xen-ts: /)
})
