/** esbuild's messages as the tool says them. */
import test from 'ava'
import { CliError, describeError } from '../errors.ts'
import { bundleFolder, folderOf, program } from './testing.ts'

test('a name that a package of ours does not export: the package, and the nearest name', async t => {
  for (const [source, expected] of [
    [`import { unikernle } from 'xen-ts'\nexport default unikernle({})`, /^xen-ts has no unikernle$/],
    [`import { qrexcc } from '@xen-ts/qubes'\nexport default qrexcc`, /^@xen-ts\/qubes has no qrexcc$/],
    [`import { vnet } from '@xen-ts/drivers'\nexport default vnet`, /^@xen-ts\/drivers has no vnet$/],
    [`import { b } from './b.ts'\nexport default b`, /(^|\/)b\.ts has no b$/],
  ] as const) {
    const error = await t.throwsAsync(bundleFolder(folderOf(t, { 'app.ts': source, 'b.ts': 'export const a = 1' })), {
      instanceOf: CliError,
    })
    t.regex(error!.message, expected)
    t.regex(error!.where!, /app\.ts:1:10\n/)
  }
  const { warnings } = await bundleFolder(folderOf(t, { 'app.ts': `import * as x from 'xen-ts'\nexport default (x as any).unikernle({})` }))
  t.regex(warnings[0], /^xen-ts has no unikernle\n.*app\.ts:2:[^]*\ndid you mean unikernel\? It exports /)
})

test('an import of what is not there: what is missing, and what to do', async t => {
  const files = {
    'lib2.ts': 'export const first = 1, second = 2\nexport default first',
    'picture.png': 'x',
    'simd.wasm': new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 1, 0x7b, 0]),
    'text.wasm': 'text',
    'package.json': '{ "name": "app", "dependencies": { "hono": "4" } }',
    'node_modules/here/package.json': '{ "name": "here", "type": "module", "exports": "./index.js" }',
    'node_modules/here/index.js': 'export const name = 1',
  }
  for (const [source, message, todo] of [
    [`import './lib.ts'`, /^there is no \.\/lib\.ts$/, /^did you mean \.\/lib2\.ts\?$/],
    [`import '../elsewhere/x.js'`, /^there is no \.\.\/elsewhere\/x\.js$/, /^the path is relative to the file with the import$/],
    [`import 'honno/tiny'`, /^there is no package honno$/, /^did you mean hono\? Otherwise: npm install honno$/],
    [`import '@some/pack/part'`, /^there is no package @some\/pack$/, /^is its name right\? npm install @some\/pack$/],
    [`import 'here/part'`, /^package here has no here\/part$/, /package\.json/],
    [`import 'xen-ts/http'`, /^there is no module xen-ts\/http$/, /^programs import from 'xen-ts', /],
    [`import { frist } from './lib2.ts'; frist()`, /lib2\.ts has no frist$/, /^did you mean first\? It exports default, first, second$/],
    [`import { other } from 'here'; other()`, /here.*has no other$/, /^it exports name$/],
    [
      `import { flup } from 'xen-ts'; flup()`,
      /^xen-ts has no flup$/,
      /^it exports HandshakeError, ShutdownError, SocketError, UsageError, arg, assets, .*unikernel, upgradeWebSocket$/,
    ],
    [`import picture from './picture.png'; picture()`, /^files with the ending \.png cannot be imported$/, /assets\('\.\/folder'\)/],
    [
      `import add from './simd.wasm'; add()`,
      /^simd\.wasm: the module uses vectors \(SIMD\), which xen-ts does not have$/,
      /^build the module again/,
    ],
    [`const add = () => import('./text.wasm?module'); add()`, /^text\.wasm: the file is not a WebAssembly module/, /^is it the right file/],
    ['const x = (1', /^Expected/, /a little before/],
  ] as const) {
    const error = await t.throwsAsync(
      bundleFolder(folderOf(t, { ...files, 'app.ts': `${source}\nexport default {}` })),
      { message },
      source,
    )
    t.regex((error as CliError).where!, /app\.ts:[12]:/)
    t.regex((error as CliError).todo!, todo, source)
  }
})

test('several errors: each has its place and its advice', async t => {
  const root = folderOf(t, { 'app.ts': `import './lib.ts'\nimport 'honno'\nexport default {}`, 'lib2.ts': '' })
  const error = await t.throwsAsync(bundleFolder(root), { instanceOf: CliError })
  const text = describeError(error)
    .replaceAll(/\S*app\.ts/g, 'app.ts')
    .replaceAll(/^ +(\d )?\|.*\n/gm, '')
  t.is(
    text,
    [
      'error: there is no ./lib.ts',
      '  app.ts:1:8',
      '  did you mean ./lib2.ts?',
      '  there is no package honno',
      '  app.ts:2:8',
      '  is its name right? npm install honno',
    ].join('\n'),
  )
})

test('import.meta: said in our words', async t => {
  const { warnings } = await bundleFolder(folderOf(t, { 'app.ts': program('say(import.meta.url)') }))
  t.regex(warnings[0], /^import\.meta is empty in an image: there is no file to be relative to\n.*app\.ts:4:/)
})
