/** The tool against dom0's side: a double that speaks test-mirage to the letter, and our own program, run for real on folders of a test. */
import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { eachMapping, TraceMap } from '@jridgewell/trace-mapping'
import test, { type ExecutionContext } from 'ava'
import { CliError } from '../errors.ts'
import { deploy } from './conversation.ts'

const image = Buffer.concat([Buffer.from('\x7fELF', 'latin1'), Buffer.alloc(300_000, 7)])

/** dom0's side: what it reads is in `got`; `say` answers. */
function double(act: (dom0: { say(text: string): void; end(why?: string): void; got: Buffer[] }, data: Buffer) => void, first = 'Ready\n') {
  const output = new PassThrough()
  const input = new PassThrough()
  const { promise: ended, resolve } = Promise.withResolvers<string>()
  const dom0 = {
    got: [] as Buffer[],
    say: (text: string) => void output.write(text),
    end(why = 'qrexec-client-vm ended with 1') {
      output.end()
      resolve(why)
    },
  }
  input.on('data', (data: Buffer) => {
    dom0.got.push(data)
    act(dom0, data)
  })
  if (first !== '') dom0.say(first)
  return { output, input, ended, dom0 }
}

const wanted = Buffer.concat([Buffer.from(`web\n${image.length}\n`), image])

test('name, size and image are sent once dom0 is ready; what follows Booting is the console', async t => {
  const service = double(({ got, say }) => {
    if (Buffer.concat(got).length === wanted.length) say('Booting\nfirst line\npart')
  }, '')
  for (const text of ['Re', 'ad', 'y', '\r\n']) setImmediate(() => service.dom0.say(text))
  const progress: number[] = []
  const rest = await deploy(service, { vm: 'web', image, service: 's', onProgress: sent => progress.push(sent) })
  t.deepEqual(Buffer.concat(service.dom0.got), wanted)
  t.is(rest.toString(), 'first line\npart')
  t.is(progress.at(-1), image.length)
  t.deepEqual(
    progress,
    progress.toSorted((a, b) => a - b),
  )
  service.dom0.say(' more')
  service.output.resume()
  t.is(await new Promise<string>(resolve => service.output.once('data', data => resolve(String(data)))), ' more')
})

test('what dom0 says instead is shown as it is, and where its old image is', async t => {
  const rows: [string, ReturnType<typeof double>, RegExp][] = [
    ['refused at once', double(() => {}, 'no such service\n'), /dom0 does not deploy it: no such service/],
    ['a reason in the middle', double(({ say }) => say('Invalid VM name\n')), /dom0 does not deploy it: Invalid VM name/],
    ['a reason without an end of line', double(({ say, end }) => (say('Timeout'), end())), /dom0 does not deploy it: Timeout/],
    ['a line without an end', double(() => {}, 'x'.repeat(70_000)), /connection to dom0 was lost/],
    ['lost in the middle', double(({ end }) => end()), /lost after \d+ of 300004 bytes$/],
  ]
  for (const [what, service, pattern] of rows) {
    const error = await t.throwsAsync(deploy(service, { vm: 'web', image, service: 's' }), { instanceOf: CliError }, what)
    t.regex(error!.message, pattern, what)
  }
  const gone = double(() => {}, '')
  gone.dom0.end('dom0 refused the call')
  const error = (await t.throwsAsync(deploy(gone, { vm: 'web', image, service: 's' }))) as CliError
  t.regex(error.message, /lost at once/)
  t.is(error.where, 'dom0 refused the call')
})

const program = fileURLToPath(new URL('dom0/xen-ts.Deploy', import.meta.url))

/** A dom0 with one qube, in a folder: qvm-* and sudo are scripts that note how they were called. */
function dom0(t: ExecutionContext, { kernel = 'web', start = 0, marker = 'xen-ts-ok', allowed = '', patience = 60 } = {}) {
  const root = mkdtempSync(join(tmpdir(), 'xen-ts-dom0-'))
  t.teardown(() => rmSync(root, { recursive: true, force: true }))
  const folder = join(root, 'kernels/web')
  const bin = join(root, 'bin')
  mkdirSync(folder, { recursive: true })
  mkdirSync(bin)
  writeFileSync(join(folder, 'vmlinuz'), 'old')
  if (marker !== '') writeFileSync(join(folder, marker), allowed)
  const script = (name: string, body: string): void => {
    writeFileSync(join(bin, name), `#!/bin/sh\necho ${name} "$@" >> ${root}/calls\n${body}\n`)
    chmodSync(join(bin, name), 0o755)
  }
  script('qvm-prefs', `[ "$2" = web ] && echo ${kernel}`)
  script('qvm-kill', 'cat > /dev/null; exit 1')
  script('qvm-start', `echo started; exit ${start}`)
  script('sudo', 'echo console of "$@"; exec sed 2q')
  const run = `import runpy,sys; m = runpy.run_path(${JSON.stringify(program)}, {}, 'deploy'); g = m['main'].__globals__; g['KERNELS'] = ${JSON.stringify(join(root, 'kernels'))}; g['PATIENCE'] = ${patience}; sys.exit(m['main']())`
  const service = join(root, 'service.py')
  writeFileSync(service, run)
  const converse = async (bytes: string | Buffer, end = true) => {
    const child = spawn('python3', [service], {
      env: { PATH: `${bin}:${process.env.PATH}`, QREXEC_REMOTE_DOMAIN: 'dev' },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    let output = ''
    let errors = ''
    child.stdout.on('data', data => (output += data))
    child.stderr.on('data', data => (errors += data))
    child.stdin.on('error', () => {})
    child.stdin.write(bytes)
    if (end) child.stdin.end()
    const code = await new Promise(resolve => child.once('close', resolve))
    t.is(errors, '')
    return { output, code }
  }
  return {
    root,
    folder,
    bin,
    converse,
    vmlinuz: () => readFileSync(join(folder, 'vmlinuz')),
    left: () => readdirSync(folder).sort(),
    calls: () => (existsSync(join(root, 'calls')) ? readFileSync(join(root, 'calls'), 'utf8').trim().split('\n') : []),
  }
}

const conversation = (name: string, size: string, bytes: Buffer | string = image) =>
  Buffer.concat([Buffer.from(`${name}\n${size}\n`), Buffer.from(bytes)])

test('our dom0 side replaces the image, starts the qube and becomes its console', async t => {
  const set = dom0(t)
  const { output, code } = await set.converse(Buffer.concat([conversation('web', String(image.length)), Buffer.from('typed')]))
  t.deepEqual([output, code], ['Ready\nBooting\nstarted\nconsole of xl console -- web\ntyped', 0])
  t.deepEqual(set.vmlinuz(), image)
  t.deepEqual(set.left(), ['vmlinuz', 'xen-ts-ok'])
  t.deepEqual(set.calls(), ['qvm-prefs -- web kernel', 'qvm-kill -- web', 'qvm-start -- web', 'sudo xl console -- web'])
})

test('whatever is wrong, the old image stays, nothing is left behind and nothing is started', async t => {
  const size = String(image.length)
  const rows: [string, Parameters<typeof dom0>[1], Buffer | string, RegExp][] = [
    ['a path', {}, conversation('../web', size), /name of the qube/],
    ['an option', {}, conversation('-web', size), /name of the qube/],
    ['a long name', {}, conversation('w'.repeat(32), size), /name of the qube/],
    ['a name without end', {}, 'w'.repeat(10_000), /the name is too long/],
    ['NUL', {}, conversation('we\0b', size), /name of the qube/],
    ['no name', {}, conversation('', size), /name of the qube/],
    ['another qube', {}, conversation('other', size), /no folder .*other/],
    ['no marker', { marker: '' }, conversation('web', size), /no file .*xen-ts-ok/],
    ['for others only', { allowed: 'work\npersonal\n' }, conversation('web', size), /does not name dev/],
    ['another kernel', { kernel: '6.6' }, conversation('web', size), /boots another kernel/],
    ['no size', {}, conversation('web', ''), /not a number of bytes/],
    ['size 0', {}, conversation('web', '0'), /not a number of bytes/],
    ['a negative size', {}, conversation('web', '-5'), /not a number of bytes/],
    ['a size that is none', {}, conversation('web', '1e3'), /not a number of bytes/],
    ['too large', {}, conversation('web', '67108865'), /too large/],
    ['an enormous size', {}, conversation('web', '9'.repeat(40)), /not a number of bytes/],
    ['a size without end', {}, `web\n${'1'.repeat(10_000)}`, /the size is too long/],
    ['too few bytes', {}, conversation('web', String(image.length + 1)), /connection ended before/],
    ['nothing at all', {}, '', /connection ended before/],
    ['no image', {}, conversation('web', '5', 'hello'), /this is no image/],
  ]
  for (const [what, options, bytes, pattern] of rows) {
    const set = dom0(t, options)
    const { output, code } = await set.converse(bytes)
    t.regex(output.replace(/^Ready\n/, ''), pattern, what)
    t.is(code, 1, what)
    t.is(String(set.vmlinuz()), 'old', what)
    t.deepEqual(
      set.calls().filter(call => !call.startsWith('qvm-prefs')),
      [],
      what,
    )
    t.true(
      set.left().every(name => !name.startsWith('.')),
      what,
    )
  }
})

test('a folder that leads elsewhere is refused; who says nothing is not waited for', async t => {
  const set = dom0(t)
  symlinkSync(set.folder, join(set.root, 'kernels/link'))
  t.regex((await set.converse(conversation('link', '10'))).output, /there is no folder/)
  const other = dom0(t, { patience: 1 })
  const silent = await other.converse(conversation('web', '1000000'), false)
  t.regex(silent.output, /takes longer than 1 seconds: nothing was changed/)
  t.is(String(other.vmlinuz()), 'old')
})

test('who goes away in the middle leaves the old image, and no trace of Python in the log of dom0', async t => {
  const set = dom0(t)
  const child = spawn('python3', [join(set.root, 'service.py')], {
    env: { PATH: `${set.bin}:${process.env.PATH}`, QREXEC_REMOTE_DOMAIN: 'dev' },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let errors = ''
  child.stderr.on('data', data => (errors += data))
  child.stdout.once('data', () => {
    child.stdout.destroy()
    child.stdin.end(conversation('web', '1000000'))
  })
  const code = await new Promise(resolve => child.once('close', resolve))
  t.deepEqual([errors, code, String(set.vmlinuz())], ['', 1, 'old'])
  t.deepEqual(set.left(), ['vmlinuz', 'xen-ts-ok'])
})

test("test-mirage's marker will do, those whom a marker names are allowed, and a start that fails is told", async t => {
  const set = dom0(t, { marker: 'test-mirage-ok', allowed: 'work\ndev\n', start: 2 })
  const { output, code } = await set.converse(conversation('web', String(image.length)))
  t.regex(output, /^Ready\nBooting\nstarted\nqvm-start web failed with exit code 2/)
  t.is(code, 1)
})

test('tool and dom0 side together: progress, console with TypeScript positions, both directions', async t => {
  const set = dom0(t)
  const { root, bin } = set
  // qrexec-client-vm: joins its own input and output with those of the service.
  writeFileSync(join(bin, 'qrexec-client-vm'), `#!/bin/sh\n[ "$*" = "dom0 xen-ts.Deploy" ] || exit 127\nexec python3 ${root}/service.py\n`)
  chmodSync(join(bin, 'qrexec-client-vm'), 0o755)
  const tool = fileURLToPath(new URL('../bin.ts', import.meta.url))
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}`, QREXEC_REMOTE_DOMAIN: 'dev' }
  const xenTs = async (args: string[], input: string) => {
    const child = spawn(process.execPath, [tool, ...args], { env, cwd: root })
    let [output, errors] = ['', '']
    child.stdout.on('data', data => (output += data))
    child.stderr.on('data', data => (errors += data))
    child.stdin.end(input)
    return { code: await new Promise(resolve => child.once('close', resolve)), output, errors }
  }
  const app = `import { unikernel } from 'xen-ts'\n\nexport default unikernel({ name: 'web', start() { throw new Error('here') } })\n`
  writeFileSync(join(root, 'app.ts'), app)
  t.is((await xenTs(['build', 'app.ts', '-t', 'qubes', '-o', 'web.xen'], '')).code, 0)
  const built = readFileSync(join(root, 'web.xen'))
  const map = JSON.parse(readFileSync(join(root, 'web.xen.map'), 'utf8'))
  let line = 0
  eachMapping(new TraceMap(map), mapping => {
    if (mapping.source?.endsWith('app.ts') && mapping.originalLine === 3) line = mapping.generatedLine
  })
  const { code, output, errors } = await xenTs(['deploy', 'web.xen', 'web'], `Error: here at ${map.file}:${line}\nlast\n`)
  t.is(code, 0, errors)
  t.regex(output, /^started\nconsole of xl console -- web\nError: here at app\.ts:3\nlast\n$/)
  t.regex(errors, /web boots web\.xen, [\d.]+ KiB/)
  t.regex(errors, /100 % of [\d.]+ KiB/)
  t.deepEqual(set.vmlinuz(), built)

  const refused = await xenTs(['deploy', 'web.xen', 'web', '--service', 'talex5.TestMirage'], '')
  t.regex(refused.errors, /connection to dom0 was lost at once[^]*dom0 has no such service/)
  t.is(refused.code, 1)
  t.regex((await xenTs(['deploy', 'web.xen', 'dom0'], '')).errors, /"dom0" cannot be the name of a qube/)
  t.regex((await xenTs(['deploy', 'app.ts', 'web'], '')).errors, /is not a \.xen image/)
})
