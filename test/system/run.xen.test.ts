/** `xen-ts run` as a person calls it, from the command line to the exit code, on a machine of its own. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'

const bin = fileURLToPath(import.meta.resolve('xen-ts/bin'))
const folder = mkdtempSync(join(tmpdir(), 'xen-ts-run-'))
test.after.always(() => rmSync(folder, { recursive: true, force: true }))

interface Event {
  event: string
  text?: string
  call?: string
  stream?: string
  exitCode?: number
  reason?: string
}

function xenTs(args: string[], input = ''): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise(resolve => {
    const child = execFile(process.execPath, [bin, ...args], { cwd: folder, maxBuffer: 1 << 24 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    )
    child.stdin!.end(input)
  })
}

/** @param app relative to this file */
async function build(app: string, target = 'qubes'): Promise<string> {
  const image = `${basename(app, '.ts')}.xen`
  const { code, stderr } = await xenTs(['build', fileURLToPath(new URL(app, import.meta.url)), '-t', target, '-o', image])
  if (code !== 0) throw new Error(stderr)
  return image
}

test.serial('skeleton with keys, a policy and three calls: what each says, its exit code, and that of the command', async t => {
  t.timeout(360_000)
  const image = await build('../../examples/skeleton')
  writeFileSync(
    join(folder, '30-user.policy'),
    '# no dates\nqubes.GetDate + skeleton @default deny\nqubes.GetDate +nanoseconds * * allow target=dom0\n',
  )
  const { code, stdout, stderr } = await xenTs(
    [
      'run',
      image,
      '--json',
      '--port',
      '0',
      '--timeout',
      '240',
      '--policy',
      '30-user.policy',
      '--qdb',
      '/qubes-ip=10.137.0.44',
      '--call',
      'xen-ts.Echo+0',
      '--call',
      'root:xen-ts.Echo+3',
      '--call',
      'xen-ts.Nobody',
      '--exit',
    ],
    'hello\nfrom dom0',
  )
  t.is(code, 3, stderr)
  const events = stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Event)
  const calls = events.filter(({ event }) => event.startsWith('call'))
  t.deepEqual(calls, [
    { event: 'call-output', call: 'xen-ts.Echo+0', stream: 'stdout', text: 'hello' },
    { event: 'call-output', call: 'xen-ts.Echo+0', stream: 'stdout', text: 'from dom0' },
    { event: 'call-end', call: 'xen-ts.Echo+0', exitCode: 0 },
    { event: 'call-end', call: 'root:xen-ts.Echo+3', exitCode: 3 },
    { event: 'call-output', call: 'xen-ts.Nobody', stream: 'stderr', text: 'this qube has no service xen-ts.Nobody' },
    { event: 'call-end', call: 'xen-ts.Nobody', exitCode: 127 },
  ])
  const said = events.map(({ text }) => text).join('\n')
  t.regex(said, /skeleton is 10\.137\.0\.44, its gateway 10\.137\.0\.1/)
  t.regex(said, /qrexec: qubes\.GetDate to @default: denied, denied by 30-user\.policy:2/)
  t.like(events.at(-1), { event: 'end', reason: 'poweroff', exitCode: 3 })
})

test.serial('console-window in a qube without netvm: a PNG of the window; a program that does not end is ended', async t => {
  t.timeout(360_000)
  const image = await build('../../examples/console-window')
  const { code, stdout, stderr } = await xenTs(['run', image, '--timeout', '30', '--screenshots', 'pictures', '--qdb', 'qubes-ip='])
  t.is(code, 124)
  t.regex(stdout, /\[console-window\] up for 1 s/)
  t.regex(stderr, /window 'console' is in pictures\/1-console\.png/)
  t.notRegex(stderr, /localhost/)
  t.deepEqual(readdirSync(join(folder, 'pictures')), ['1-console.png'])
  const png = readFileSync(join(folder, 'pictures/1-console.png'))
  t.deepEqual([png.toString('latin1', 1, 4), png.readUInt32BE(16), png.readUInt32BE(20)], ['PNG', 720, 408])
})

test.serial('without --port: none for a program that has no network, and the next that is free for one that has', async t => {
  t.timeout(360_000)
  const server = createServer().listen(8080, '127.0.0.1')
  t.teardown(() => server.close())
  await Promise.race([once(server, 'listening'), once(server, 'error')]) // either way 8080 is taken now
  const hello = await xenTs(['run', await build('../../examples/hello', 'xen')])
  t.is(hello.code, 0, hello.stderr)
  t.notRegex(hello.stderr, /localhost/)
  const args = ['--timeout', '20', '--', 'ip=10.137.0.16/24', 'gateway=10.137.0.1']
  const handler = await xenTs(['run', await build('../../examples/handler', 'xen'), ...args])
  t.is(handler.code, 124, handler.stderr)
  const port = /http:\/\/localhost:(\d+)\/ leads to port 80 of handler/.exec(handler.stderr)?.[1]
  t.true(Number(port) > 8080, handler.stderr)
  t.regex(handler.stderr, /port 8080 of localhost is in use: http:/)
})

test.serial('addresses that were configured, built in, and given: the last of them counts', async t => {
  t.timeout(360_000)
  const app = fileURLToPath(new URL('../../examples/syslog-target', import.meta.url))
  const copy = join(folder, 'clockwork')
  cpSync(app, copy, { recursive: true, filter: path => !path.endsWith('.test.ts') && !path.includes('node_modules') })
  const program = join(copy, 'app.ts')
  writeFileSync(
    program,
    readFileSync(program, 'utf8')
      .replace("import { unikernel } from 'xen-ts'", "import { stack, unikernel } from 'xen-ts'")
      .replace('  async start({ log,', '  devices: { net: stack() },\n  async start({ net, log,')
      .replace('tick ${count}', 'at ${net.address}'),
  )
  const configured = await xenTs([
    'configure',
    copy,
    '--ipv4',
    '10.137.0.17/24',
    '--ipv4-gateway',
    '10.137.0.1',
    '--',
    '--syslog=10.137.0.1',
  ])
  t.is(configured.code, 0, configured.stderr)
  const address = async (build: string[], boot: string[]) => {
    const built = await xenTs(['build', copy, '-o', 'clockwork.xen', ...build])
    t.is(built.code, 0, built.stderr)
    const { code, stdout, stderr } = await xenTs(['run', 'clockwork.xen', '--timeout', '60', '--pcap', 'clockwork.pcapng', '--', ...boot])
    t.is(code, 0, stderr)
    return /\[clockwork\] at (\S+)/.exec(stdout)?.[1]
  }
  t.is(await address([], []), '10.137.0.17')
  const packets = readFileSync(join(folder, 'clockwork.pcapng'), 'utf8')
  t.true(packets.includes('10.137.0.17 clockwork - clockwork - \ufeffat 10.137.0.17'))
  t.is(await address(['--ipv4', '10.137.0.16/24'], []), '10.137.0.16')
  t.is(await address(['--ipv4', '10.137.0.18/24'], ['ipv4=10.137.0.16/24']), '10.137.0.16')
})

test.serial('Ctrl-C: the program ends in good order, though the terminal tells all processes of the command', async t => {
  t.timeout(360_000)
  const image = await build('../../examples/handler', 'xen')
  const args = ['run', image, '--port', '0', '--timeout', '240', '--', 'ip=10.137.0.16/24', 'gateway=10.137.0.1']
  const child = spawn(process.execPath, [bin, ...args], { cwd: folder, detached: true, stdio: ['ignore', 'pipe', 'ignore'] })
  let said = ''
  const listens = Promise.withResolvers<void>()
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
    if (said.includes('listening on')) listens.resolve()
  })
  const ended = once(child, 'close')
  await Promise.race([listens.promise, ended])
  process.kill(-child.pid!, 'SIGINT')
  t.deepEqual(await ended, [0, null], said)
  t.regex(said, /shutdown requested: poweroff\n/)
})

test.serial('two runs at once without --port: each is reached at a port of its own', async t => {
  t.timeout(360_000)
  const image = await build('../../examples/handler', 'xen')
  const args = ['run', image, '--timeout', '30', '--', 'ip=10.137.0.16/24', 'gateway=10.137.0.1']
  const runs = await Promise.all([xenTs(args), xenTs(args)])
  const ports = runs.map(({ stderr }) => /http:\/\/localhost:(\d+)\/ leads to port 80 of handler/.exec(stderr)?.[1])
  t.deepEqual(
    runs.map(({ code }) => code),
    [124, 124],
    runs.map(({ stderr }) => stderr).join('\n'),
  )
  t.is(new Set(ports).size, 2, ports.join(' '))
  t.false(ports.includes(undefined), ports.join(' '))
})

for (const { daemon, args, why } of [
  { daemon: 'qubesdb', args: [], why: "qubesdb-daemon would exit: RM of '/nothing', which does not exist" },
  {
    daemon: 'qrexec',
    args: ['--call', 'my.Echo', '--exit'],
    why: 'qrexec-daemon would exit: CONNECTION_TERMINATED for port 600, which no call has',
  },
  { daemon: 'gui', args: [], why: 'qubes-guid would exit: GUI message 132 for window 1, which does not exist' },
]) {
  test.serial(
    `a slip that makes a daemon of dom0 exit (${daemon}) ends the run at once, with the reason${args.length > 0 ? ', and a call that waits' : ''}`,
    async t => {
      t.timeout(360_000)
      const image = await build('programs/wrong-agent.ts', 'xen')
      const { code, stdout, stderr } = await xenTs([
        'run',
        image,
        '--json',
        '--port',
        '0',
        '--timeout',
        '240',
        '--qubes',
        ...args,
        '--',
        `daemon=${daemon}`,
      ])
      t.is(code, 1, stderr)
      const events = stdout
        .trim()
        .split('\n')
        .map(line => JSON.parse(line) as Event)
      t.true(
        events.some(({ event, text }) => event === 'note' && text === `dom0: ${why}: destroyed`),
        stdout,
      )
      t.deepEqual(
        events.filter(({ event }) => event.startsWith('call')),
        args.length === 0 ? [] : [{ event: 'call-end', call: 'my.Echo', exitCode: 125, error: why }],
      )
      t.deepEqual(events.at(-1), { event: 'end', text: 'wrong-agent: daemon died', reason: 'daemon died', exitCode: 1 })
    },
  )
}
