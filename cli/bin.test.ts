/** The tool as a person meets it: what it prints and its exit codes. Nothing here boots. */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { releases } from '@xen-ts/rig/xen'
import test, { type ExecutionContext } from 'ava'
import { nodeCommand } from './build/report.ts'
import { positionRewriter } from './run/positions.ts'

const bin = fileURLToPath(new URL('./bin.ts', import.meta.url))
const example = (name: string) => fileURLToPath(new URL(`../examples/${name}`, import.meta.url))

function folder(t: ExecutionContext, files: Record<string, string> = {}): string {
  const root = mkdtempSync(join(tmpdir(), 'xen-ts-cli-'))
  t.teardown(() => rmSync(root, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), text)
  return root
}

function xenTs(cwd: string, args: string[], env: NodeJS.ProcessEnv = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...args], { cwd, encoding: 'utf8', env: { ...process.env, ...env } })
  return { status, stdout, stderr }
}

const app = (body: string, imports = '') =>
  `import { unikernel } from 'xen-ts'\n${imports}\nexport default unikernel({ name: 'app', async start() {\n${body}\n} })\n`

/** A program that must not build, and what the tool says of it. */
function refused(t: ExecutionContext, source: string): string {
  const { status, stderr, stdout } = xenTs(folder(t, { 'app.ts': source }), ['build', 'app.ts'])
  t.is(status, 1, stdout)
  return stderr
}

test('build prints stages, size tree, memory and sha256, and writes image and map', t => {
  const root = folder(t)
  const { status, stdout, stderr } = xenTs(root, ['build', example('hello'), '-o', 'hello.xen'])
  t.is(status, 0, stderr)
  for (const part of [
    /^bundle +\d+ ms$/m,
    /^snapshot +\d+ ms$/m,
    /^hello\.xen +[\d.]+ KiB +100\.0%$/m,
    /engine/,
    /program/,
    /^memory +\d+ MiB at least$/m,
    /^sha256 +[0-9a-f]{64}$/m,
  ])
    t.regex(stdout, part)
  t.true(existsSync(join(root, 'hello.xen')) && existsSync(join(root, 'hello.xen.map')))
})

test('build for Node says how to run the script: with the Node that the tool has, where that is a package', t => {
  const root = folder(t)
  const { status, stdout, stderr } = xenTs(root, ['build', example('hello'), '-t', 'unix', '-o', 'hello.js'])
  t.is(status, 0, stderr)
  t.regex(stdout, /^run it +(npx )?node hello\.js$/m)
  t.is(nodeCommand('/home/ann/xen-ts/node_modules/node/bin/node'), 'npx node')
  t.is(nodeCommand('/usr/bin/node'), 'node')
  t.true(stdout.includes(` ${nodeCommand(process.execPath)} hello.js`))
})

test('build says which files it took, and how many it left out', t => {
  const source =
    "import { assets, unikernel } from 'xen-ts'\nexport default unikernel({ name: 'a', devices: { a: assets('./site') }, start() {} })"
  const root = folder(t, { 'app.ts': source })
  mkdirSync(join(root, 'site'))
  for (const name of ['a.txt', '.env', '.htaccess']) writeFileSync(join(root, 'site', name), 'text')
  t.regex(xenTs(root, ['build', 'app.ts']).stdout, /^assets +site: 1 file, 0\.0 KiB; left out: 2 \(\.env, \.htaccess\)$/m)
})

test('the same program gives the same bytes, each time and from any folder', t => {
  const root = folder(t)
  mkdirSync(join(root, 'deeper/down'), { recursive: true })
  const sums = ['', '', 'deeper/down', 'deeper'].map(at => {
    const { status, stdout, stderr } = xenTs(join(root, at), [
      'build',
      example('website'),
      '-t',
      'qubes',
      '-o',
      join(root, 'www.xen'),
      '--json',
    ])
    t.is(status, 0, stderr)
    return JSON.parse(stdout).sha256
  })
  t.is(new Set(sums).size, 1, sums.join('\n'))
})

test('build --json is one JSON document', t => {
  const { status, stdout } = xenTs(folder(t), ['build', example('hello'), '--json'])
  t.is(status, 0)
  t.like(JSON.parse(stdout), { output: 'hello.xen', target: 'xen' })
})

test('an image stays below the sizes we promise', t => {
  const report = JSON.parse(xenTs(folder(t), ['build', example('hello'), '--json']).stdout)
  t.true(report.bytes <= 2.3e6, `${report.bytes} bytes`)
  t.true(report.gzipBytes <= 0.9e6, `${report.gzipBytes} bytes gzipped`)
})

test('a syntax error: file, line, caret', t => {
  t.regex(refused(t, 'export default {\n  fetch: (request) => new Response(\n}\n'), /error: .*\n +app\.ts:3:1\n +3 \| \}\n +\| \^/)
})

test('node:fs: not on this target, and what to use instead', t => {
  const text = refused(t, app('readFileSync("x")', `import { readFileSync } from 'node:fs'`))
  t.regex(text, /node:fs does not exist on target xen/)
  t.regex(text, /app\.ts:2:/)
  t.regex(text, /assets\('\.\/folder'\)/)
})

test('a module that is not installed', t => {
  const text = refused(t, app('left()', `import left from 'left-padding'`))
  t.regex(text, /error: there is no package left-padding\n {2}app\.ts:2:18\n[^]*\n {2}is its name right\? npm install left-padding\n/)
})

test('a warning stands as an error does: the place below what happened, indented', t => {
  const { stderr } = xenTs(folder(t, { 'app.ts': app('process.exit()') }), ['build', 'app.ts'])
  t.regex(stderr, /^warning: process is not available.*\n {2}app\.ts:4:1\n {2}4 \| process\.exit\(\)\n {4}\| \^/)
})

test('help loads the command line alone: nothing that a command needs', t => {
  const hook = `import { registerHooks } from 'node:module'
registerHooks({ load(url, context, next) { process.stderr.write(url + '\\n'); return next(url, context) } })`
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(hook)}`, bin, '--help'],
    { encoding: 'utf8' },
  )
  t.is(status, 0)
  t.regex(stdout, /^ {2}dev /m)
  const loaded = stderr
    .trim()
    .split('\n')
    .filter(url => url.startsWith('file:') && !url.includes('/node_modules/commander/'))
  t.deepEqual(loaded, [pathToFileURL(bin).href, new URL('package.json', pathToFileURL(bin)).href])
})

test('a Node that cannot read TypeScript is told from the start: version, which one it is, what to do', t => {
  const old = 'data:text/javascript,Object.defineProperty(process.versions,"node",{value:"20.1.0"})'
  const entry = fileURLToPath(new URL('./launch.js', import.meta.url))
  const { status, stderr } = spawnSync(process.execPath, ['--import', old, entry, '--help'], { encoding: 'utf8' })
  t.is(status, 1)
  t.regex(stderr, /^error: xen-ts needs Node 24 or newer, and this is 20\.1\.0\n {2}\/.*node\n {2}npx .*\n$/)
  const now = spawnSync(process.execPath, [entry, '--version'], { encoding: 'utf8' })
  t.deepEqual([now.status, now.stdout, now.stderr], [0, '0.1.0\n', ''])
})

test('top-level await is refused with the way out', t => {
  t.regex(refused(t, `await 1\n${app('')}`), /Top-level await[^]*start\(\)/)
})

test('a folder of assets that does not exist', t => {
  const text = refused(
    t,
    `import { assets, unikernel } from 'xen-ts'\nexport default unikernel({ name: 'a', devices: { site: assets('./nowhere') }, async start() {} })\n`,
  )
  t.regex(text, /there is no folder \.\/nowhere[^]*app\.ts:2:/)
})

test('a missing app, an unknown target, an unknown option: with the nearest name', t => {
  const root = folder(t, { 'app.ts': app('') })
  t.regex(xenTs(root, ['build', 'apt.ts']).stderr, /there is no apt\.ts[^]*did you mean app\.ts\?/)
  t.regex(xenTs(root, ['build', 'app.ts', '-t', 'qbues']).stderr, /there is no target qbues[^]*did you mean qubes\?/)
  const option = xenTs(root, ['run', '--memroy', '5', 'x.xen'])
  t.regex(option.stderr, /unknown option '--memroy'[^]*Did you mean --memory\?/)
  t.not(option.status, 0)
  t.regex(xenTs(root, ['biuld']).stderr, /unknown command[^]*Did you mean build\?/)
})

test('an output that cannot be written', t => {
  const root = folder(t, { 'app.ts': app('') })
  mkdirSync(join(root, 'there.xen'))
  t.regex(xenTs(root, ['build', 'app.ts', '-o', 'there.xen']).stderr, /there\.xen is a folder/)
  t.regex(xenTs(root, ['build', 'app.ts', '-o', 'no/where.xen']).stderr, /folder of no\/where\.xen does not exist/)
  t.regex(
    xenTs(root, ['build', 'app.ts', '-o', '/proc/a.xen']).stderr,
    /error: \/proc\/a\.xen cannot be written: [^]*--output \/proc\/a\.xen\n[^]*choose another output/,
  )
  if (process.getuid?.() === 0) return // root may write everywhere
  chmodSync(root, 0o500)
  t.regex(xenTs(root, ['build', 'app.ts', '-o', 'a.xen']).stderr, /cannot be written/)
  chmodSync(root, 0o700)
})

test('an output that would replace something else than an image', t => {
  const root = folder(t, { 'app.ts': app(''), 'notes.ts': '// mine' })
  spawnSync('mkfifo', [join(root, 'pipe')])
  for (const [output, expected] of [
    ['app.ts', /app\.ts has the name of a source file/],
    ['notes.ts', /notes\.ts has the name of a source file/],
    ['pipe', /pipe is not a regular file/],
  ] as const) {
    const { status, stderr } = xenTs(root, ['build', 'app.ts', '-o', output])
    t.is(status, 1)
    t.regex(stderr, expected)
  }
  t.is(readFileSync(join(root, 'notes.ts'), 'utf8'), '// mine')
  t.true(statSync(join(root, 'pipe')).isFIFO())
})

test('a reader that goes away, as head does, ends the tool without a word', t => {
  const root = folder(t, { 'app.ts': app('') })
  const { stderr } = spawnSync('sh', ['-c', '"$0" "$1" build app.ts | head -n 1 > /dev/null', process.execPath, bin], {
    cwd: root,
    encoding: 'utf8',
  })
  t.is(stderr, '')
})

test('run: a missing file, a folder, a file that is no image', t => {
  const root = folder(t, { 'text.xen': 'hello', 'short.xen': '' })
  for (const [file, expected] of [
    ['missing.xen', /missing\.xen cannot be read: it does not exist\n/],
    ['.', /is a folder/],
    ['text.xen', /text\.xen is not a \.xen image/],
    ['short.xen', /not a \.xen image/],
  ] as const) {
    const { status, stderr } = xenTs(root, ['run', file])
    t.is(status, 1)
    t.regex(stderr, expected)
  }
})

test('run: numbers that are none, and those that do not fit', async t => {
  const root = folder(t)
  t.is(xenTs(root, ['build', example('hello'), '-o', 'hello.xen']).status, 0)
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  for (const [args, expected] of [
    [['--memory', 'lots'], /a whole number of MiB/],
    [['--memory', '7.5'], /a whole number of MiB/],
    [['--maxmem', '-1'], /a whole number of MiB/],
    [['--maxmem', '16'], /error: the maximum of 16 MiB is below the memory, 32 MiB\n/],
    [['--timeout', '0'], /number of seconds/],
    [
      ['--xen', '4.15'],
      new RegExp(`argument '4\\.15' is invalid\\. Allowed choices are ${releases.map(({ xen }) => xen).join(', ')}\\.\n`),
    ],
    [['--timeout', '9999999'], /number of seconds/],
    [['--port', String(port)], new RegExp(`error: port ${port} of localhost is in use\\n +--port ${port}\\n +choose`)],
  ] as const) {
    const { status, stderr } = xenTs(root, ['run', 'hello.xen', ...args])
    t.is(status, 1)
    t.regex(stderr, expected)
  }
})

test('run: a source map that is none', t => {
  const root = folder(t)
  t.is(xenTs(root, ['build', example('hello'), '-o', 'hello.xen']).status, 0)
  writeFileSync(join(root, 'hello.xen.map'), '{')
  t.regex(positionRewriter(join(root, 'hello.xen')).note!, /hello\.xen\.map cannot be read/)
})

test('run: options for qubes are checked before anything boots', t => {
  const root = folder(t, { 'bad.policy': '# rules\nmy.Echo * work @default allow\n' })
  t.is(xenTs(root, ['build', example('hello'), '-o', 'hello.xen']).status, 0)
  for (const [args, expected] of [
    [['--qdb', 'greeting'], /error: --qdb: it must have the form KEY=VALUE/],
    [['--call', 'ls -l'], /error: --call: a command line is for a shell/],
    [['--exit'], /error: --exit ends the program after the last call/],
    [['--policy', 'missing'], /error: --policy: missing cannot be read: it does not exist\n/],
    [['--qubes', '--policy', 'bad.policy'], /bad\.policy:2: allow for @default needs target=/],
    [['--call', 'my.Echo'], /error: --call is for qubes, and hello\.xen is for target xen\n[^]*-t qubes/],
    [['--qubes', '--qdb', '/qubes-ip=10.0.0'], /\/qubes-ip is not an IPv4 address/],
  ] as const) {
    const { status, stderr } = xenTs(root, ['run', 'hello.xen', ...args])
    t.is(status, 1)
    t.regex(stderr, expected)
  }
})
