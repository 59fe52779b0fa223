/** Which file of a package is taken, and what becomes of modules that Node has and a unikernel has not. */
import test from 'ava'
import { CliError } from '../errors.ts'
import { bundleFolder, folderOf, program, runFolder } from './testing.ts'

const packaged = (name: string, manifest: object, files: Record<string, string>) =>
  Object.fromEntries(
    Object.entries({ 'package.json': JSON.stringify({ name, version: '1.0.0', ...manifest }), ...files }).map(([file, text]) => [
      `node_modules/${name}/${file}`,
      text,
    ]),
  )
const say = (name: string) => program('say(`from ${which}`)', `import which from '${name}'`)
const is = (text: string) => `export default '${text}'`

test('the build of a package for browsers or edge runtimes is taken', async t => {
  for (const condition of ['workerd', 'edge-light', 'worker', 'browser', 'import'] as const) {
    const exports = { node: './node.js', [condition]: './ours.js', require: './node.js', default: './node.js' }
    const root = folderOf(t, {
      'app.ts': say('some'),
      ...packaged('some', { type: 'module', exports }, { 'ours.js': is(condition), 'node.js': is('node') }),
    })
    t.regex(await runFolder(root), new RegExp(`from ${condition}\n`), condition)
  }
})

test('main fields: browser before module before main', async t => {
  const files = { 'b.mjs': is('browser'), 'm.mjs': is('module'), 'm.js': "module.exports = 'main'" }
  for (const [manifest, expected] of [
    [{ main: 'm.js', module: 'm.mjs', browser: 'b.mjs' }, 'browser'],
    [{ main: 'm.js', module: 'm.mjs' }, 'module'],
    [{ main: 'm.js' }, 'main'],
  ] as const)
    t.regex(await runFolder(folderOf(t, { 'app.ts': say('some'), ...packaged('some', manifest, files) })), new RegExp(`from ${expected}\n`))
})

test('the browser map of a package exchanges and empties modules, those of Node too', async t => {
  const root = folderOf(t, {
    'app.ts': say('some'),
    ...packaged(
      'some',
      { main: 'm.js', browser: { fs: false, './node.js': './browser.js', util: './util.js' } },
      {
        'm.js': "module.exports = [typeof require('fs').readFile, require('./node.js'), require('util')].join()",
        'node.js': "require('net'); module.exports = 'node'",
        'browser.js': "module.exports = 'browser'",
        'util.js': "module.exports = 'utilities'",
      },
    ),
  })
  t.regex(await runFolder(root), /from undefined,browser,utilities\n/)
})

test('what is required is what a package has for require', async t => {
  const root = folderOf(t, {
    'app.ts': say('outer'),
    ...packaged('outer', {}, { 'index.js': "module.exports = require('inner')()" }),
    ...packaged(
      'inner',
      { exports: { import: './i.mjs', require: './i.cjs' } },
      { 'i.mjs': 'export default () => 0', 'i.cjs': "module.exports = () => 'required'" },
    ),
  })
  t.regex(await runFolder(root), /from required\n/)
})

test("installed packages and paths of tsconfig.json may have names of Node's modules", async t => {
  const names = ['events', 'constants', 'util', 'buffer', 'process']
  const root = folderOf(t, {
    'app.ts': program('say([a, b, c, d, e, f])', [...names, 'path'].map((name, i) => `import ${'abcdef'[i]} from '${name}'`).join('\n')),
    'tsconfig.json': JSON.stringify({ compilerOptions: { paths: { path: ['./lib/path.ts'] } } }),
    'lib/path.ts': is('own path'),
    ...Object.assign({}, ...names.map(name => packaged(name, { type: 'module' }, { 'index.js': is(`own ${name}`) }))),
  })
  t.regex(await runFolder(root), /own events,own constants,own util,own buffer,own process,own path\n/)
})

test("a module of Node that is required or imported within try throws when that is reached, with the build's sentence", async t => {
  const root = folderOf(t, {
    'app.ts': program(
      `for (const load of [a, b, c]) try { say(await load()) } catch (error) { say(\`\${error.code} \${error.message}\`) }`,
      `import { a } from 'some'
async function b() { try { return await import('node:worker_threads') } catch (error) { throw error } }
async function c() { try { return require('left-padding') } catch (error) { throw error } }`,
    ),
    ...packaged('some', {}, { 'index.js': "exports.a = () => { try { return require('fs') } catch (error) { throw error } }" }),
  })
  const output = await runFolder(root)
  t.regex(output, /MODULE_NOT_FOUND fs does not exist on target test: files that belong to the program: assets/)
  t.regex(output, /MODULE_NOT_FOUND node:worker_threads does not exist on target test: a unikernel has one program and no threads/)
  t.regex(output, /MODULE_NOT_FOUND left-padding was not installed when the image was built/)
})

test('any other import of a module of Node is refused', async t => {
  for (const [source, expected] of [
    [`import 'net'`, /^net does not exist on target test$/],
    [`import 'fs/promises'`, /^fs\/promises does not exist on target test$/],
    [`require('node:zlib')`, /^node:zlib does not exist on target test$/],
    [`void import('node:none')`, /^node:none does not exist on target test$/],
  ] as const) {
    const root = folderOf(t, { 'app.ts': program('', source) })
    const error = await t.throwsAsync(bundleFolder(root), { instanceOf: CliError })
    t.regex(error!.message, expected)
    t.regex(error!.where!, /app\.ts:2:/)
    t.truthy(error!.todo)
  }
  const error = await t.throwsAsync(bundleFolder(folderOf(t, { 'app.ts': program('', `import 'events'`) })), { instanceOf: CliError })
  t.regex(error!.todo!, /npm install events$/)
})
