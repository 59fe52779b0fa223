/** Graph errors of a program: found at build, with file and line. */
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { CliError } from '../errors.ts'
import { buildProgram, snapshotOf } from './build.ts'
import { readProgram } from './bundle.ts'
import { examineBooted, examined } from './examine.ts'
import { bundleProgram } from './image-bundle.ts'
import { buildProcess } from './process.ts'
import { findProject } from './project.ts'
import { findTarget } from './targets.ts'
import { folderOf } from './testing.ts'

const target = (becomes: string, kinds: string) => `import { provided, type Connect, type Target } from 'xen-ts'
export const target = { name: 'mine', becomes: '${becomes}', kinds: ${kinds} } as const satisfies Target
export const connect: Connect<any> = () => ({ provide: {} })
`
const circle = "{ one: { two: provided('two') }, two: { one: provided('one') } }"

async function build(t: ExecutionContext, files: Record<string, string>, given: string): Promise<{ warnings: readonly string[] }> {
  const root = folderOf(t, files)
  const target = given.startsWith('./') ? join(root, given) : given
  const isProcess = given === 'unix' || files['target.ts']?.includes("'process'")
  const output = join(root, isProcess ? 'a.js' : 'a.xen')
  try {
    return isProcess ? await buildProcess({ app: root, target, output }) : await buildProgram({ app: root, target, output })
  } catch (error) {
    t.false(existsSync(output))
    throw error
  }
}

const app = (device: string, head = '') => `import { device, http, provided, stack, unikernel } from 'xen-ts'
import { qrexec } from '@xen-ts/qubes'
import { vchan } from '@xen-ts/drivers'
${head}
export default unikernel({
  name: 'app',
  devices: {
    it: ${device},
  },
  start() {},
})
void [device, http, provided, stack, qrexec, vchan]
`

for (const [name, device, given, message, line, head] of [
  ['another target has it', 'qrexec()', 'xen', /^qrexec: only on target qubes \(target is xen\)$/, 8],
  ['nobody has it', "provided('floppy')", 'qubes', /^floppy: not on target qubes$/, 8],
  ['a need of a device', "device({ name: 'a', needs: { q: qrexec() }, connect: () => 1 })", 'xen', /^qrexec: only on target qubes/, 8],
  [
    'its own, elsewhere',
    'tap',
    'xen',
    /^tap: only on target unix \(target is xen\)$/,
    4,
    "const tap = device({ name: 'tap', on: { unix: { connect: () => 1 } } })",
  ],
  ['what is no device', "'text'", 'xen', /^devices\.it is not a device description/, undefined],
  ['a process: another target has it', 'vchan()', 'unix', /^vchan: only on targets qubes, xen \(target is unix\)$/, 8],
  [
    'a process: its own, elsewhere',
    'tap',
    'unix',
    /^tap: only on target xen/,
    4,
    "const tap = device({ name: 'tap', on: { xen: { connect: () => 1 } } })",
  ],
] as const) {
  test(`refused at build, with its place: ${name}`, async t => {
    const error = (await t.throwsAsync(build(t, { 'app.ts': app(device, head) }, given), { instanceOf: CliError })) as CliError
    t.regex(error.message, message)
    t.regex(error.where!, line === undefined ? /app\.ts/ : new RegExp(`app\\.ts:${line}:\\d+\\n${line} \\|`))
  })
}

for (const becomes of ['image', 'process']) {
  test(`a circle of needs, on a target that becomes ${becomes}`, async t => {
    const files = { 'app.ts': app("provided('one')"), 'target.ts': target(becomes, circle) }
    const error = (await t.throwsAsync(build(t, files, './target.ts'), { instanceOf: CliError })) as CliError
    t.is(error.message, "devices need each other in a circle: one -> two -> one; take one of these out of 'needs'")
    t.regex(error.where!, /(app\.ts:8|target\.ts:2):\d+\n/)
  })

  test(`an argument that is taken, on a target that becomes ${becomes}`, async t => {
    const source =
      "import { arg, unikernel } from 'xen-ts'\nexport default unikernel({ name: 'a', args: { logs: arg.string({ doc: '' }) }, start() {} })"
    await t.throwsAsync(build(t, { 'app.ts': source, 'target.ts': target(becomes, '{}') }, './target.ts'), {
      instanceOf: CliError,
      message: /args\.logs is taken: every program has an argument of that name/,
    })
  })

  test(`a top level that throws, on a target that becomes ${becomes}: a warning for build, an error for those who must know`, async t => {
    const files = {
      'app.ts': "import { unikernel } from 'xen-ts'\nnull!.x\nexport default unikernel({ name: 'a', start() {} })",
      'target.ts': target(becomes, '{}'),
    }
    const { warnings } = await build(t, files, './target.ts')
    t.regex(warnings[0], /^the program cannot be evaluated: TypeError: [^]*its devices are checked at boot only\n.*app\.ts:2:\d+\n/)
    const root = folderOf(t, files)
    const error = (await t.throwsAsync(examined(findProject(root), await findTarget('./target.ts', root)), {
      instanceOf: CliError,
    })) as CliError
    t.regex(error.where!, /app\.ts:2:/)
  })
}

test('what the top level may use: clock, randomness, timers, text, the globals of the target; what it prints is not shown', async t => {
  const head = `const made = [Date.now() > 1e12, crypto.randomUUID().length, typeof setTimeout(() => { throw new Error('never') }, 1), new URL('http://a/b').pathname]
const early = globalThis.fetch.bind(globalThis)
class Reconnecting extends WebSocket {}
console.log('not shown', early, Reconnecting)`
  const root = folderOf(t, { 'app.ts': app('device({ name: JSON.stringify(made), connect: () => 1 })', head) })
  for (const name of ['xen', 'unix']) {
    const { plan, globals } = await examined(findProject(root), await findTarget(name, root))
    t.regex(plan.order[0].name, /^\[true,36,"\w+","\/b"\]$/)
    t.deepEqual(globals, name === 'xen' ? ['WebSocket', 'fetch'] : [])
  }
})

/** As it is found in the engine that has booted the program, which is there until the next snapshot: one test at a time. */
async function booted(root: string, name: string, words: string[][] = [], asked?: string) {
  const [project, target] = [findProject(root), await findTarget(name, root)]
  const code = await readProgram(project, target)
  const key = randomUUID()
  await snapshotOf(await bundleProgram(project, target, { code }), project, { key })
  return examineBooted(asked ?? key, project, target, { code, words })
}

const website = fileURLToPath(new URL('../../examples/website', import.meta.url))
const timed = `import { arg, device, provided, stack, unikernel } from 'xen-ts'
const made = [Date.now() > 1e12, crypto.randomUUID().length, new URL('http://a/b').pathname]
const clock = device({ name: 'clock-of-mine', needs: { net: stack() }, connect: () => 1 })
export default unikernel({ name: 'app', args: { greeting: arg.string({ default: 'Hi', doc: JSON.stringify(made) }) },
  devices: { one: clock, again: clock, other: device({ name: 'other', needs: { clock }, connect: () => 2 }) }, start() { void [provided, globalThis.fetch] } })`

for (const [what, files, target, words] of [
  ['the website', website, 'qubes', [['--greeting=Hi']]],
  ['one with devices of its own, whose top level asks for the time', { 'app.ts': timed }, 'xen', [['--greeting=Hi', '--dhcp'], []]],
  ['a handler', { 'app.ts': 'export default { fetch: () => new Response() }' }, 'xen', []],
] as const) {
  test.serial(`what the engine of the snapshot says of a program is what a bundle for it says: ${what}`, async t => {
    const root = typeof files === 'string' ? files : folderOf(t, files)
    const lists = words.map(list => [...list])
    const found = await booted(root, target, lists)
    t.truthy(found)
    t.deepEqual(found, await examined(findProject(root), await findTarget(target, root), { words: lists, assets: true }))
  })
}

test.serial('the engine of another snapshot says nothing, nor is one asked for what is wrong', async t => {
  const root = folderOf(t, { 'app.ts': timed })
  t.is(await booted(root, 'xen', [], 'another'), undefined)
  t.is(await booted(root, 'xen', [['--greting=Hi']]), undefined)
  t.is(await booted(folderOf(t, { 'app.ts': app('qrexec()') }), 'xen'), undefined)
})

test('a process may use modules of Node, and must not end itself', async t => {
  const source = (head: string) =>
    `import { readFileSync } from 'node:fs'\n${head}\nexport default { fetch: () => new Response(String(readFileSync)) }`
  t.deepEqual((await build(t, { 'app.ts': source('') }, 'unix')).warnings, [])
  await t.throwsAsync(build(t, { 'app.ts': source('process.exit(7)') }, 'unix'), {
    instanceOf: CliError,
    message: 'the program cannot be evaluated: it ended the process with code 7',
  })
})
