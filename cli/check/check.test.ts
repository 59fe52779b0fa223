/** `xen-ts check`: what it finds, and what it prints. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import type { SizeRow } from '../build/report.ts'
import { folderOf } from '../build/testing.ts'
import { CliError } from '../errors.ts'
import { checkProgram } from './check.ts'
import { textReport } from './text.ts'

const bin = fileURLToPath(new URL('../bin.ts', import.meta.url))
const example = (name: string): string => fileURLToPath(new URL(`../../examples/${name}`, import.meta.url))

const profileOf = async (t: ExecutionContext, files: Record<string, string>, target = 'qubes') =>
  (await checkProgram(folderOf(t, files), target)).profile!

const unikernel = (body: string, devices = '') =>
  `import { http, stack, unikernel } from 'xen-ts'\nexport default unikernel({ name: 'app', devices: { ${devices} }, async start(context: any) { ${body} } })\n`

/** What two of a tree's numbers must be: a whole is its parts together. */
function addsUp(t: ExecutionContext, { name, bytes, parts }: SizeRow): void {
  if (parts === undefined) return
  const sum = parts.reduce((sum, part) => sum + part.bytes, 0)
  t.true(Math.abs(sum - bytes) <= parts.length, `${name}: ${bytes}, its parts ${sum}`)
  for (const part of parts) addsUp(t, part)
}

test('a website: sizes down to files, memory, devices, start-up, names', async t => {
  const root = folderOf(t, {
    'app.ts': `import { http, unikernel } from 'xen-ts'
export default unikernel({ name: 'www', devices: { http: http() }, async start({ http, signal }) {
  await http.serve({ port: 80, signal }, request => new Response(new URL(request.url).pathname))
} })`,
    'package.json': '{ "name": "www" }',
  })
  const report = await checkProgram(root, 'qubes')
  t.like(report, { name: 'www', target: 'qubes', nodeModules: [], warnings: [] })
  t.true(report.memoryMiB! >= 3)
  addsUp(t, report.sizes)
  const heap = report.sizes.parts!.find(({ name }) => name.startsWith('heap'))!
  const program = heap.parts!.find(({ name }) => name === 'program')!
  t.deepEqual(
    program.parts!.map(({ name }) => name),
    ['app.ts'],
  )
  const { modules, end, graph, output } = report.profile!
  t.is(end, 'serves HTTP 80', output)
  t.deepEqual(modules.map(({ name }) => name).sort(), ['app.ts', 'xen-ts'])
  t.regex(graph!, /^ {2}http\n {4}stack$/m)
  t.deepEqual(
    report.globals!.map(({ name, present }) => [name, present]),
    [
      ['Response', true],
      ['URL', true],
    ],
  )
})

test('globals and modules of Node that the target lacks, and where they are asked for', async t => {
  const root = folderOf(t, {
    'app.ts': `declare const require: any, indexedDB: any
import './other.ts'
try { require('node:fs') } catch {}
export default { fetch: () => new Response(typeof indexedDB) }`,
    'other.ts':
      "declare const indexedDB: any\nif (typeof indexedDB !== 'undefined') indexedDB.open('x')\nconsole.log(structuredClone.name, Object.keys({}))",
  })
  const { globals, nodeModules } = await checkProgram(root, 'xen')
  t.deepEqual(nodeModules, [{ name: 'node:fs', present: false, files: ['app.ts'] }])
  const found = Object.fromEntries(globals!.map(({ name, present, files }) => [name, [present, ...files]]))
  t.deepEqual(found.indexedDB, [false, 'app.ts', 'other.ts'])
  t.deepEqual(found.Response, [true, 'app.ts'])
  t.deepEqual(found.console, [true, 'other.ts'])
  t.false('Object' in found)
})

test('target unix: its modules of Node, no memory and no profile', async t => {
  const root = folderOf(t, { 'app.ts': "import { EOL } from 'node:os'\nexport default { fetch: () => new Response(EOL) }\n" })
  const report = await checkProgram(root, 'unix')
  t.deepEqual(report.nodeModules, [{ name: 'node:os', present: true, files: ['app.ts'] }])
  t.deepEqual([report.memoryMiB, report.profile, report.globals], [undefined, undefined, undefined])
  addsUp(t, report.sizes)
})

test('modules that take long stand above those that do not', async t => {
  const { modules } = await profileOf(t, {
    'app.ts': "import './slow.ts'\nimport { quick } from './quick.ts'\nexport default { fetch: () => new Response(quick) }\n",
    'slow.ts': 'export let sum = 0\nfor (let i = 0; i < 1e5; i++) sum += i % 7\nimport "./quick.ts"\n',
    'quick.ts': "export const quick = 'quick'\n",
  })
  t.is(modules[0].name, 'slow.ts')
  t.true(modules[0].milliseconds > modules.find(({ name }) => name === 'quick.ts')!.milliseconds)
})

test('how far it comes: it serves, waits, ends or fails', async t => {
  for (const [body, devices, end] of [
    ['await context.net.tcp.listen({ port: 7 }, () => {})', 'net: stack()', 'serves TCP 7'],
    ["await context.net.resolve('name'); await context.net.tcp.listen({ port: 7 }, () => {})", 'net: stack()', 'waits stack.resolve()'],
    [
      'await new Promise(resolve => setTimeout(resolve, 30_000)); await context.http.serve({ port: 8080 })',
      'http: http()',
      'serves HTTP 8080',
    ],
    ['setInterval(() => {}, 1000); await new Promise(() => {})', '', 'waits'],
    ['await new Promise(() => {})', '', 'waits'],
    ['', '', 'ends'],
    ["throw new Error('broken')", '', 'fails'],
  ]) {
    const profile = await profileOf(t, { 'app.ts': unikernel(body, devices) })
    t.is(profile.end, end, `${body}: ${profile.output}`)
    if (end === 'fails') t.regex(profile.output, /Error: broken\n +at .*app\.ts:2:/)
  }
})

test('a program of Qubes, whose devices are not there', async t => {
  const report = await checkProgram(example('skeleton'), 'qubes')
  t.regex(report.profile!.graph!, /^ {2}qrexec$/m)
  t.regex(textReport(report), /^ {2}until it waits for \S+, a device that is not there in a check$/m)
})

test('a program that cannot be built is an error, as in a build', async t => {
  const root = folderOf(t, { 'app.ts': 'export default {\n' })
  const error = (await t.throwsAsync(checkProgram(root, 'xen'), { instanceOf: CliError })) as CliError
  t.regex(`${error.where}`, /app\.ts:2:1/)
  await t.throwsAsync(checkProgram(folderOf(t, {}), undefined), { message: /^there is no program in / })
  await t.throwsAsync(checkProgram(root, 'qube'), { message: 'there is no target qube' })
})

test('on the command line: text, JSON, and a page that needs nothing else; nothing more is written', t => {
  const root = folderOf(t, {})
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [bin, 'check', example('handler'), ...args], { cwd: root, encoding: 'utf8' })
  const text = run()
  t.is(text.status, 0, text.stderr)
  for (const part of [
    /^handler \S+ for target xen$/m,
    /^memory +\d+ MiB at least$/m,
    /^ {2}until it serves HTTP on port 80$/m,
    /^modules of Node: none$/m,
  ])
    t.regex(text.stdout, part)
  t.deepEqual(readdirSync(root), [])
  const json = run('--json', '--html', 'report.html')
  t.like(JSON.parse(json.stdout), { name: 'handler', target: 'xen' })
  t.deepEqual(readdirSync(root), ['report.html'])
  const page = readFileSync(join(root, 'report.html'), 'utf8')
  t.regex(page, /^<!DOCTYPE html>\n[^]*stack\/tcp\/[^]*<\/html>\n$/)
  t.notRegex(page, /<script|<link|<img|\bsrc=|https?:/)
  t.false(existsSync(join(root, 'handler.xen')))
  const refused = run('--html', 'no/such/report.html')
  t.is(refused.status, 1)
  t.regex(refused.stderr, /error: no\/such\/report\.html cannot be written: it does not exist\n {2}--html no\/such\/report\.html\n/)
})
