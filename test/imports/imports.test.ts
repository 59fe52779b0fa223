/** The house's order: what imports what, and whether each package says so. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import test from 'ava'
import { references } from './references.ts'
import { isForTests, type Manifest, order, problems, type Tree } from './rules.ts'

const root = join(import.meta.dirname, '../..')

function readTree(): Tree {
  const names = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.ts', '*package.json'], { cwd: root, encoding: 'utf8' })
  const files = new Map<string, string>()
  const packages = new Map<string, Manifest>()
  for (const name of names.trim().split('\n')) {
    if (!existsSync(join(root, name))) continue // deleted, and not yet committed
    // A tool's package, without a module; what becomes packages of others; and what is installed for a test alone.
    if (/^(docs|create\/templates|test\/packages)\//.test(name)) continue
    const text = readFileSync(join(root, name), 'utf8')
    if (name.endsWith('.ts')) files.set(name, text)
    else packages.set(dirname(name).replace(/^\.$/, ''), JSON.parse(text))
  }
  return { files, packages }
}

test('every module imports what its package declares, and what the other one exports', t => {
  const tree = readTree()
  t.true(tree.files.size > 300 && tree.packages.size > 15)
  t.deepEqual(problems(tree), [])
})

test('the stack stands on the runtime alone: it knows nothing of Xen', t => {
  t.deepEqual(Object.keys(readTree().packages.get('stack')!.dependencies!), ['@xen-ts/runtime'])
})

test('the packages of the workspace are those of the order', t => {
  const names = [...readTree().packages].filter(([folder]) => folder !== '' && !folder.startsWith('examples/')).map(([, { name }]) => name)
  t.deepEqual(names.sort(), [...order].sort())
})

test('a parser finds all kinds of references, and no name in a comment or a text', t => {
  const source = `
import a, { type B } from 'first'
import type { C } from './second.ts'
export { d } from '../third.ts'
export * from '@xen-ts/fourth'
import 'fifth'
// import nothing from 'comment'
/* export * from 'block' */
const text = "import x from 'string'" + \`import y from 'template' \${await import('sixth')}\`
const seventh = import.meta.resolve('seventh/part')
type Eighth = import('eighth').Name
await engineTests(test, import.meta.url, ['./ninth.test.ts'])
const tenth = file('@xen-ts/tenth/web'), url = new URL('../eleventh.ts', import.meta.url), folder = new URL('..', import.meta.url)
const regex = /import z from 'regex'/, generic = <T,>(value: T) => value
const notes = ['xen-ts is no module here', './nothing', 'https://example.org/x', 'a.ts']
`
  t.deepEqual(
    references('file.ts', source).map(({ specifier, line }) => `${line} ${specifier}`),
    [
      '2 first',
      '3 ./second.ts',
      '4 ../third.ts',
      '5 @xen-ts/fourth',
      '6 fifth',
      '9 sixth',
      '10 seventh/part',
      '11 eighth',
      '12 ./ninth.test.ts',
      '13 @xen-ts/tenth/web',
      '13 ../eleventh.ts',
    ],
  )
  t.throws(() => references('broken.ts', 'import {'), { instanceOf: SyntaxError, message: /^broken\.ts: / })
})

test('files with something to test are of the four kinds that CONTRIBUTING names', t => {
  const kind = /^[^.]+(\.test|\.cases|\.xen\.test|\.intel\.test|\.d|\.build)?\.ts$/
  t.deepEqual(
    [...readTree().files.keys()].filter(file => !kind.test(basename(file))),
    [],
  )
})

test('what exists for tests is known by its name', t => {
  const tests = ['a.test.ts', 'drivers/x.cases.ts', 'stack/testing/world.ts', 'qubes/gui/testing.ts', 'runtime/testing.ts', 'bench/sim.ts']
  t.deepEqual(tests.filter(isForTests), tests)
  t.deepEqual(['boot/node/engine.ts', 'runtime/log.ts', 'rig/dom0/simple.ts', 'drivers/tests.ts'].filter(isForTests), [])
})

/** A small house in which all is well, with some of its files replaced. */
function house(changes: Record<string, string> = {}, manifests: Record<string, Partial<Manifest>> = {}): string[] {
  const files = {
    'runtime/index.ts': "import { size } from 'node:fs'; import './log.ts'; import '@xen-ts/boot'",
    'runtime/log.ts': 'export const log = 1',
    'runtime/log.test.ts': "import test from 'ava'; import './log.ts'",
    'boot/index.ts': '',
    'boot/cases.cases.ts': '',
    'rig/index.ts': "import '@xen-ts/runtime'",
    'test/system/a.ts': "import '@xen-ts/rig'; import './b.ts'",
    'test/system/b.ts': '',
    'bench/c.ts': '',
    ...changes,
  }
  const packages: Record<string, Manifest> = {
    '': { name: 'root', devDependencies: { '@xen-ts/rig': '1', typescript: '1' } },
    boot: { name: '@xen-ts/boot', exports: { '.': './index.ts', './cases': './cases.cases.ts' } },
    runtime: {
      name: '@xen-ts/runtime',
      exports: { '.': './index.ts' },
      dependencies: { '@xen-ts/boot': '1' },
      devDependencies: { ava: '1' },
    },
    rig: { name: '@xen-ts/rig', exports: { '.': './index.ts' }, dependencies: { '@xen-ts/runtime': '1' } },
  }
  for (const [folder, manifest] of Object.entries(manifests)) packages[folder] = { ...packages[folder], ...manifest }
  return problems({ files: new Map(Object.entries(files)), packages: new Map(Object.entries(packages)) })
}

test('a house in which all is well', t => {
  t.deepEqual(house(), [])
})

for (const [name, changes, manifests, expected] of [
  [
    'needed where it is installed',
    { 'runtime/a.build.ts': "import 'ava'" },
    {},
    /^runtime\/a\.build\.ts:1: ava is not in the dependencies of runtime\/package\.json$/,
  ],
  ['undeclared', { 'rig/a.ts': "\nimport 'left-pad'" }, {}, /^rig\/a\.ts:2: left-pad is not in the dependencies of rig\/package\.json$/],
  ['undeclared type', { 'rig/a.ts': "import type { A } from '@xen-ts/boot'" }, {}, /@xen-ts\/boot is not in the dependencies/],
  ['a tool of the root in a package', { 'rig/a.ts': "import 'typescript'" }, {}, /typescript is not in the dependencies/],
  ['a need of tests in shipping code', { 'runtime/a.ts': "import 'ava'" }, {}, /ava is not in the dependencies of runtime/],
  [
    'undeclared in test/',
    { 'test/a.ts': "import 'left-pad'" },
    {},
    /left-pad is not in the devDependencies or dependencies of \.\/package\.json/,
  ],
  [
    'the insides of a package by path',
    { 'rig/a.ts': "import '../runtime/log.ts'" },
    {},
    /leads into runtime: import what that package exports/,
  ],
  ['the same in a test', { 'rig/a.test.ts': "import '../runtime/log.ts'" }, {}, /leads into runtime/],
  [
    'the insides of a package by name',
    { 'rig/a.ts': "import '@xen-ts/runtime/log.ts'" },
    {},
    /@xen-ts\/runtime does not export \.\/log\.ts/,
  ],
  ['a member of Object.prototype', { 'rig/a.ts': "import 'toString'" }, {}, /toString is not in the dependencies/],
  ['upward', { 'boot/a.ts': "import '@xen-ts/rig'" }, { boot: { dependencies: { '@xen-ts/rig': '1' } } }, /stands below @xen-ts\/rig/],
  ['test code', { 'runtime/a.ts': "import './log.test.ts'" }, {}, /\.\/log\.test\.ts is for tests/],
  ['test code of another package', { 'runtime/a.ts': "import '@xen-ts/boot/cases'" }, {}, /@xen-ts\/boot\/cases is for tests/],
  ['bench/', { 'runtime/a.ts': "import '../bench/c.ts'" }, {}, /leads into bench/],
  ['bench/ in test/', { 'test/a.ts': "import '../bench/c.ts'" }, {}, /leads into bench/],
  ['itself by name', { 'boot/a.ts': "import '@xen-ts/boot'" }, {}, /is this package/],
  [
    'dom0 and the agents',
    { 'rig/a.test.ts': "import '@xen-ts/qubes'" },
    { rig: { devDependencies: { '@xen-ts/qubes': '1' } } },
    /shares no code/,
  ],
  ['declared, not used', {}, { rig: { dependencies: { '@xen-ts/runtime': '1', sharp: '1' } } }, /^rig\/package\.json: nothing uses sharp$/],
  [
    'declared, used in tests only',
    { 'rig/a.test.ts': "import 'ava'" },
    { rig: { dependencies: { '@xen-ts/runtime': '1', ava: '1' } } },
    /only tests use ava/,
  ],
  ['declared for tests, not used', {}, { rig: { devDependencies: { ava: '1' } } }, /no test uses ava/],
  ['everything exported', {}, { rig: { exports: { '.': './index.ts', './*': './*' } } }, /exports everything/],
  ['an export of nothing', {}, { rig: { exports: { '.': './index.ts', './a': './a.ts' } } }, /there is no \.\/a\.ts/],
] as const satisfies readonly [string, Record<string, string>, Record<string, Partial<Manifest>>, RegExp][]) {
  test(`found: ${name}`, t => {
    const found = house(changes, manifests)
    t.regex(found.join('\n'), expected)
  })
}
