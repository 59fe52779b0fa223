import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { readImage } from '@xen-ts/boot'
import { runInEngine } from '@xen-ts/boot/testing'
import * as targets from '@xen-ts/targets'
import test, { type ExecutionContext } from 'ava'
import { CliError } from '../errors.ts'
import { buildProgram } from './build.ts'
import { bundleProgram } from './image-bundle.ts'
import { findProject } from './project.ts'
import { findTarget, listed } from './targets.ts'

function folder(t: ExecutionContext, files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), 'xen-ts-targets-'))
  t.teardown(() => rmSync(root, { recursive: true }))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
  return root
}

/** Runs a program in the guest's engine, as the tool bundles it; what is not on the console is that there is no Xen. */
async function run(root: string, given: string): Promise<{ reason: number; lines: string[] }> {
  const { code } = await bundleProgram(findProject(root), await findTarget(given, root))
  let output = ''
  const reason = await runInEngine({
    bundle: code,
    filename: 'app.js',
    output: text => {
      output += text
    },
  })
  return { reason, lines: output.split('\n').map(line => line.replace(/^[\d-]+ [\d:.]+ -00:00: /, '')) }
}

/** A target of a program's own, with parts in another module and in TypeScript that Node does not strip. */
const own = {
  'mine/target.ts': `import { arg, type Connect, type Target } from 'xen-ts'
import { answer } from './answer'
export const target = { name: 'mine', becomes: 'image', args: { left: arg.string({ default: 'x', doc: '' }) }, kinds: { oracle: {} } } as const satisfies Target
export const connect: Connect<typeof target> = ({ args }) => ({
  provide: { oracle: () => ({ ask: () => \`\${args.left} \${answer.Yes}\` }) },
  globals: { fetch: () => () => 'fetched' },
})`,
  'mine/answer.ts': "export enum answer { Yes = 'forty-two' }",
  'app.ts': `import { provided, unikernel } from 'xen-ts'
export default unikernel({ name: 'app', devices: { oracle: provided<any>('oracle') }, start: ({ oracle, log }) => log.info(oracle.ask() + ' ' + fetch()) })`,
}

test('a known target, by its name', async t => {
  const target = await findTarget('xen', '/')
  t.is(target.name, 'xen')
  t.regex(target.module, /targets.*xen/)
  for (const kind of ['qubesdb', 'qrexec', 'screen']) t.true(target.elsewhere[kind].includes('qubes'), kind)
  t.deepEqual(
    Object.keys(target.elsewhere).filter(kind => kind in targets.xen.kinds),
    [],
  )
})

test('names of targets are listed as in a sentence', t => {
  const names = (...all: string[]) => listed(all.map(name => ({ name, becomes: 'image', kinds: {} })))
  t.is(names('a'), 'a')
  t.is(names('a', 'b'), 'a and b')
  t.is(names('a', 'b', 'c'), 'a, b and c')
})

test('a device that the target lacks is refused in the guest with the targets that have it', async t => {
  const app = (device: string): string => `import { provided, unikernel } from 'xen-ts'
import { qrexec } from '@xen-ts/qubes'
export default unikernel({ name: 'app', devices: { it: ${device} }, start() {} })`
  for (const [device, expected] of [
    ['qrexec()', 'qrexec: only on target qubes (target is xen)'],
    ["provided('floppy')", 'floppy: not on target xen'],
  ]) {
    const { reason, lines } = await run(folder(t, { 'app.ts': app(device) }), 'xen')
    t.deepEqual([reason, lines[0].replace(/^ERR \[.*?\] /, '')], [3, expected])
  }
})

test("a program's own target: its devices, arguments and globals, and where the others are", async t => {
  const root = folder(t, own)
  const target = await findTarget('./mine/target.ts', root)
  t.is(target.module, join(root, 'mine/target.ts'))
  t.true(['qubes', 'xen'].every(name => target.elsewhere.http.includes(name)))
  t.deepEqual(await run(root, 'mine/target.ts'), { reason: 0, lines: ['INF [app] x forty-two fetched', ''] })
})

test("a target's globals are in an image whose program uses them by name, and are there before the program's first line", async t => {
  const target = `export const target = { name: 'mine', becomes: 'image', kinds: {}, globals: ['fetch', 'caches'] }
export const fetch = ({ use }) => () => 'the text that stands for a client'
export const caches = () => 'the text that stands for another'
export const connect = () => ({ provide: {} })`
  const program = (first: string, line: string) => `import { unikernel } from 'xen-ts'
${first}
export default unikernel({ name: 'app', start: ({ log }) => log.info(${line}) })`
  const build = async (first: string, line: string) => {
    const root = folder(t, { 'target.ts': target, 'app.ts': program(first, line) })
    const { code, network } = await bundleProgram(findProject(root), await findTarget('./target.ts', root))
    const lines = (await run(root, './target.ts')).lines.filter(line => line !== '')
    return { has: code.includes('stands for a client'), other: code.includes('stands for another'), network, lines }
  }
  const there = { has: true, other: false, network: true, lines: ['INF [app] the text that stands for a client'] }
  for (const [first, line] of [
    ['', 'fetch()'],
    ['const early = globalThis.fetch', 'early()'],
    ['const { fetch: early } = globalThis', 'early()'],
    ['', "globalThis['fetch']()"],
    ['', "'fetch' in globalThis ? self.fetch() : ''"],
    ['', "typeof fetch === 'function' ? fetch() : ''"],
  ])
    t.deepEqual(await build(first, line), there, `${first} ${line}`)
  for (const [first, line] of [
    ['const handler = { fetch: () => 1, fetch2() {} }', 'handler.fetch()'],
    ['class Handler { fetch = () => 1; static fetch() {} }', 'new Handler().fetch()'],
    ['function fetch() { return 1 }', 'fetch()'],
    ['// fetch()', "'fetch(x)'"],
  ]) {
    const { has, other, network } = await build(first, line)
    t.deepEqual([has, other, network], [false, false, false], `${first} ${line}`)
  }
})

test("the target that package.json names by a path is relative to it, and the image has the target's name", async t => {
  const root = folder(t, { ...own, 'package.json': '{ "name": "app", "xen-ts": { "target": "./mine/target.ts" } }' })
  const output = join(root, 'app.xen')
  const { target } = await buildProgram({ app: root, output })
  t.is(target, 'mine')
  t.is(readImage(readFileSync(output)).metadata.target, 'mine')
})

test('what is no target is refused with what to do', async t => {
  const root = folder(t, {
    'none.ts': 'export const other = 1',
    'null.ts': 'export const target = null',
    'named.ts': "export const target = { name: 'A B', becomes: 'image', kinds: {} }; export const connect = () => {}",
    'becomes.ts': "export const target = { name: 'a', becomes: 'toast', kinds: {} }; export const connect = () => {}",
    'kinds.ts': "export const target = { name: 'a', becomes: 'image' }; export const connect = () => {}",
    'globals.ts': "export const target = { name: 'a', becomes: 'image', kinds: {}, globals: 'fetch' }; export const connect = () => {}",
    'global.ts': "export const target = { name: 'a', becomes: 'image', kinds: {}, globals: ['fetch'] }; export const connect = () => {}",
    'half.ts': "export const target = { name: 'a', becomes: 'image', kinds: {} }",
    'throws.ts': "throw new Error('at once')",
    'syntax.ts': 'export const target = {',
    'node.ts': "import fs from 'node:fs'; export const target = { name: fs.constants }",
  })
  for (const [given, message, todo] of [
    ['qbues', /^there is no target qbues$/, /^targets are .*qubes.*; did you mean qubes\?/],
    ['constructor', /^there is no target constructor$/, /^targets are [^;]*, and a path/],
    ['./nowhere.ts', /^there is no \.\/nowhere\.ts$/, /path of a module/],
    ['./none.ts', /^\.\/none\.ts exports no target$/, /export const target = \{/],
    ['null.ts', /exports no target$/, /export const connect/],
    ['named.ts', /name is not made of small letters/, /export const target/],
    ['becomes.ts', /neither 'image' nor 'process'$/, /becomes: 'image'/],
    ['kinds.ts', /kinds are not an object/, /kinds: /],
    ['globals.ts', /globals are not an array/, /export const target/],
    ['global.ts', /the global fetch, but no function of that name/, /export const target/],
    ['half.ts', /no function connect$/, /export const connect/],
    ['throws.ts', /throws\.ts cannot be evaluated: at once$/, /correct/],
    ['syntax.ts', /found end of file/, undefined],
    ['node.ts', /node:fs does not exist on target node\.ts/, /assets/],
  ] as const) {
    const error = await t.throwsAsync(findTarget(given, root), { instanceOf: CliError, message }, given)
    if (todo === undefined) t.truthy(error!.where)
    else t.regex(error!.todo!, todo, given)
  }
})

test('a target that becomes a process is no image', async t => {
  const root = folder(t, { 'app.ts': 'export default { fetch: () => new Response() }' })
  t.is((await findTarget('unix', root)).becomes, 'process')
  await t.throwsAsync(buildProgram({ app: root, target: 'unix', output: join(root, 'app.xen') }), {
    instanceOf: CliError,
    message: 'target unix becomes a process, not an image',
  })
})

test("a program may have any of the usual names, that of the tool's own main module too", async t => {
  const { 'app.ts': _, ...mine } = own
  const app = "import { unikernel } from 'xen-ts'\nexport default unikernel({ name: 'app', start: ({ log }) => log.info('runs') })"
  for (const name of ['main.ts', 'index.ts', 'src/main.ts']) {
    const root = folder(t, { ...mine, [name]: app })
    t.deepEqual(await run(root, 'mine/target.ts'), { reason: 0, lines: ['INF [app] runs', ''] }, name)
  }
})
