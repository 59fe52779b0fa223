/** describe in its four forms, and the command line of it, configure and clean. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { CliError } from '../errors.ts'
import { describeProgram } from './describe.ts'
import { folderOf } from './testing.ts'

const example = (name: string) => join(import.meta.dirname, '../../examples', name)
const bin = fileURLToPath(new URL('../bin.ts', import.meta.url))

function xenTs(cwd: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...args], { cwd, encoding: 'utf8' })
  return { status, stdout, stderr }
}

const files = {
  'public/a.txt': 'text',
  'app.ts': `import { assets, device, http, stack, unikernel } from 'xen-ts'
const own = device({ name: 'a "quoted" one', needs: { net: stack() }, connect: () => 1 })
export default unikernel({ name: 'www', devices: { web: http(), own, site: assets('./public') }, start: () => fetch('http://10.0.0.1/') })`,
}

test('as text: what the target adds, globals, the graph, arguments', async t => {
  t.deepEqual((await describeProgram(example('website'), { target: 'qubes' })).split('\n'), [
    'www on qubes',
    'added by the target',
    '  shutdown requests',
    '  QubesDB',
    '  qrexec agent',
    '  GUI agent',
    'devices',
    '  http',
    '    stack',
    '  files: assets (files 3, bytes 1548)',
    'arguments',
    '  greeting: TEXT, what the front page says',
    '',
  ])
  t.regex(
    await describeProgram(folderOf(t, files), {}),
    /^www on xen\nadded by the target\n {2}shutdown requests\nglobals\n {2}fetch\ndevices\n/,
  )
})

test('as JSON', async t => {
  const { name, target, devices, program, globals, ...rest } = JSON.parse(
    await describeProgram(folderOf(t, files), { target: 'xen', json: true }),
  )
  t.deepEqual([name, target.name, target.becomes, target.adds, globals], ['www', 'xen', 'image', ['shutdown requests'], ['fetch']])
  t.deepEqual(devices, [
    { id: 0, name: 'stack', by: 'target', options: '', needs: {} },
    { id: 1, name: 'http', by: 'target', options: '', needs: { stack: 0 } },
    { id: 2, name: 'a "quoted" one', by: 'program', options: '', needs: { net: 0 } },
    { id: 3, name: 'assets', by: 'program', options: '(files 1, bytes 4)', needs: {} },
  ])
  t.deepEqual(program, { web: 1, own: 2, site: 3 })
  t.deepEqual(rest, { arguments: [] })
})

test('as a graph for Graphviz, which draws it', async t => {
  const root = folderOf(t, files)
  t.deepEqual((await describeProgram(root, { dot: true })).split('\n').slice(3), [
    '  program [label="www\\non xen", shape=ellipse, style=solid]',
    '  d0 [label="stack"]',
    '  d1 [label="http"]',
    '  d2 [label="a \\"quoted\\" one", style="rounded,dashed"]',
    '  d3 [label="assets\\nfiles 1, bytes 4", style="rounded,dashed"]',
    '  program -> d1 [label="web"]',
    '  program -> d2 [label="own"]',
    '  program -> d3 [label="site"]',
    '  d1 -> d0',
    '  d2 -> d0 [label="net"]',
    '}',
    '',
  ])
  const svg = await describeProgram(root, { svg: true })
  t.regex(svg, /<svg [^]*>a &quot;quoted&quot; one<[^]*<\/svg>/)
  t.is(svg.match(/class="node"/g)?.length, 5)
  t.is(svg.match(/class="edge"/g)?.length, 5)
})

test('two forms at once, and a graph that cannot be', async t => {
  await t.throwsAsync(describeProgram(example('hello'), { dot: true, svg: true }), {
    instanceOf: CliError,
    message: 'there is one form at a time',
  })
  await t.throwsAsync(describeProgram(example('skeleton'), { target: 'unix' }), {
    instanceOf: CliError,
    message: 'qrexec: only on target qubes (target is unix)',
  })
})

test('on the command line: configure, its own arguments, build, and clean', t => {
  const root = folderOf(t, files)
  const wrong = xenTs(root, 'configure', '-t', 'qubes', '--ipv4', '10.0.0.2/24')
  t.is(wrong.status, 1)
  t.regex(wrong.stderr, /^error: --ipv4: not on target qubes: addresses come from QubesDB there\n/)
  const unknown = xenTs(root, 'configure', '--', '--greeting=Hi')
  t.regex(unknown.stderr, /^error: unknown argument --greeting=Hi\n/)
  t.regex(xenTs(root, 'configure', 'app.ts', 'other.ts').stderr, /^error: there is one program at a time[^]*other\.ts\n/)
  t.regex(xenTs(root, 'configure', '--net', 'air').stderr, /Allowed choices are socket, direct/)
  t.false(existsSync(join(root, 'main.ts')))

  const done = xenTs(
    root,
    'configure',
    '-t',
    'xen',
    '--ipv4',
    '10.0.0.2/24',
    '--dns',
    '10.0.0.1',
    '--dns',
    '10.0.0.3',
    '--',
    '--logs=*:debug',
  )
  t.is(done.status, 0, done.stderr)
  t.regex(done.stdout, /^address {4}10\.0\.0\.2\/24: as given\n\nwrote {6}main\.ts: xen-ts build uses it\n/m)
  const header = readFileSync(join(root, 'main.ts'), 'utf8').split('\n')[1]
  t.is(header, "// command: xen-ts configure app.ts -t xen --ipv4=10.0.0.2/24 --dns=10.0.0.1,10.0.0.3 -- '--logs=*:debug'")
  const built = xenTs(root, 'build')
  t.deepEqual([built.status, built.stderr], [0, ''])
  // The command that the header shows makes the same file.
  const before = readFileSync(join(root, 'main.ts'), 'utf8')
  t.is(xenTs(root, 'clean').stdout, 'removed    main.ts\n')
  t.is(spawnSync('sh', ['-c', `"$0" "$1" ${header.replace('// command: xen-ts ', '')}`, process.execPath, bin], { cwd: root }).status, 0)
  t.is(readFileSync(join(root, 'main.ts'), 'utf8'), before)
  t.is(xenTs(root, 'clean', 'app.ts').stdout, 'removed    main.ts\n')
  t.regex(xenTs(root, 'clean').stdout, /^there is nothing to remove/)
})
