/** Programs as processes: built into one script, which Node runs, with files, arguments, signals and exit codes. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { CliError } from '../errors.ts'
import { buildProcess } from './process.ts'
import { folderOf, program } from './testing.ts'

const examples = join(import.meta.dirname, '../../examples')

/** A folder that no package.json is above of, gone after the test. */
function emptyFolder(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'xen-ts-process-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function build(t: ExecutionContext, app: string): Promise<string> {
  const output = join(emptyFolder(t), 'app.js')
  await buildProcess({ app, target: 'unix', output })
  return output
}

interface Running {
  readonly child: ChildProcess
  /** Standard error so far, without times. */
  lines(): string[]
  output(): string
  readonly ended: Promise<number | null>
  says(part: string): Promise<void>
}

function run(t: ExecutionContext, script: string, args: readonly string[] = [], env: Record<string, string> = {}): Running {
  return follow(t, spawn(process.execPath, [script, ...args], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] }))
}

function follow(t: ExecutionContext, child: ChildProcess): Running {
  t.teardown(() => child.kill('SIGKILL'))
  let [log, output] = ['', '']
  const waiting = new Map<string, () => void>()
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    log += text
    for (const [part, resolve] of waiting) if (log.includes(part)) resolve()
  })
  const ended = new Promise<number | null>(resolve => child.on('close', resolve))
  const lines = (): string[] =>
    log
      .trim()
      .split('\n')
      .map(line => line.replace(/^[\d-]+ [\d:.]+ -00:00: /, ''))
  return {
    child,
    lines,
    output: () => output,
    ended,
    says: part =>
      new Promise((resolve, reject) => {
        waiting.set(part, resolve)
        if (log.includes(part)) resolve()
        void ended.then(code => reject(new Error(`it ended (${code}) without saying ${part}:\n${log}`)))
      }),
  }
}

test('modules are strict in a process, too, whatever tsconfig.json says', async t => {
  const root = folderOf(t, {
    'tsconfig.json': '{ "compilerOptions": { "strict": false } }',
    'app.ts': program('say(typeof declared())', 'function declared(this: unknown) { return this }'),
  })
  const running = run(t, await build(t, root))
  t.is(await running.ended, 0)
  t.regex(running.lines().join('\n'), /\] undefined(\n|$)/)
})

/** A process in which there is a program that answers with what it knows of its network, on a tap device, for clients on the same host. */
const onTap = `import { stack, http, unikernel } from 'xen-ts'
export default unikernel({ name: 'app', devices: { net: stack(), http: http() }, async start({ net, http, signal }) {
  await http.serve({ port: 80, signal }, async request => {
    const { pathname } = new URL(request.url)
    if (pathname === '/self') return new Response(await (await fetch(\`http://\${net.address}/inner\`)).text())
    return new Response(\`\${pathname} of \${net.addresses.map(({ address }) => address)}\`)
  })
} })\n`

test('--net direct --tap: our own stack answers curl; or who may not have a device is told', async t => {
  const script = join(emptyFolder(t), 'app.js')
  await buildProcess({ app: folderOf(t, { 'app.ts': onTap }), target: 'unix', output: script, address: { net: 'direct', tap: 'tap0' } })
  if (process.getuid?.() !== 0 || !existsSync('/dev/net/tun')) {
    const refused = run(t, script, ['--ipv4=10.9.0.2/24'])
    t.is(await refused.ended, 2)
    t.regex(refused.lines().at(-1)!, /--tap: (this user may not |there is no \/dev\/net\/tun)/)
    return
  }
  const words = ['--ipv4=10.9.0.2/24', '--ipv6=fd00::2/64']
  const setUp = `ip link set lo up; ip tuntap add dev tap0 mode tap; ip addr add 10.9.0.1/24 dev tap0
    ip addr add fd00::1/64 dev tap0 nodad; ip link set tap0 up`
  const child = spawn('unshare', ['-n', 'sh', '-ec', `${setUp}\nexec "$@"`, 'sh', process.execPath, script, ...words])
  const running = follow(t, child)
  await running.says('listening on http://10.9.0.2/ and http://[fd00::2]/')
  const curl = (url: string): string =>
    execFileSync('nsenter', ['-t', `${child.pid}`, '-n', 'curl', '-sS', '--max-time', '30', url], { encoding: 'utf8' })
  t.is(curl('http://10.9.0.2/one'), '/one of 10.9.0.2,fd00::2')
  t.is(curl('http://[fd00::2]/two'), '/two of 10.9.0.2,fd00::2')
  // The global fetch has the same stack: the host's sockets know nothing of the address.
  t.is(curl('http://10.9.0.2/self'), '/inner of 10.9.0.2,fd00::2')
  child.kill('SIGTERM')
  t.is(await running.ended, 0)
})

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0)
  await new Promise(resolve => server.on('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

test('the website: pages, files, events and a WebSocket of its own, an argument, and the end by a signal', async t => {
  const port = await freePort()
  const site = run(t, await build(t, join(examples, 'website')), [`--port-map=80:${port}`, '--greeting=Moin'])
  await site.says(`INF [http] listening on http://localhost:${port}/\n`)
  const base = `http://127.0.0.1:${port}`
  const front = await fetch(base)
  t.deepEqual([front.status, front.headers.get('content-type')], [200, 'text/html; charset=UTF-8'])
  t.regex(await front.text(), /^<!DOCTYPE html>\n[^]*<h1>Moin<\/h1>/)
  t.regex(await (await fetch(`${base}/posts/written-in-markdown`)).text(), /<em>as data<\/em>/)
  const style = await fetch(`${base}/style.css`)
  t.is(await style.text(), readFileSync(join(examples, 'website/public/style.css'), 'utf8'))
  t.is((await fetch(`${base}/style.css`, { headers: { 'if-none-match': style.headers.get('etag')! } })).status, 304)
  t.is(await (await fetch(`${base}/greeting`)).text(), `Moin from 127.0.0.1:${port}\n`)
  const missing = await fetch(`${base}/missing`)
  t.is(missing.status, 404)
  t.regex(await missing.text(), /<h1>Moin<\/h1>/)
  const socket = new WebSocket(`ws://127.0.0.1:${port}/echo`)
  socket.onopen = () => socket.send('said')
  t.is(await new Promise(resolve => (socket.onmessage = ({ data }) => resolve(data))), 'said')
  socket.close()
  const events = (await fetch(`${base}/events`)).body!.pipeThrough(new TextDecoderStream()).getReader()
  t.regex((await events.read()).value!, /^event: uptime\n/)
  site.child.kill('SIGTERM')
  t.true((await events.read()).done)
  t.is(await site.ended, 0)
  t.deepEqual(site.lines(), [
    'INF [www] greeting is Moin',
    `INF [http] listening on http://localhost:${port}/`,
    'INF [www] shutdown requested: poweroff',
  ])
})

test('a handler: its port from the environment, the command line wins; a port in use is an error', async t => {
  const script = await build(t, join(examples, 'handler'))
  const [port, other] = [await freePort(), await freePort()]
  const first = run(t, script, [], { XEN_TS_PORT: `${port}`, XEN_TS_PROT: '1' })
  await first.says('listening')
  t.is(await (await fetch(`http://127.0.0.1:${port}/there`)).text(), 'hello from /there\n')
  const second = run(t, script, [`--port=${other}`], { XEN_TS_PORT: `${port}` })
  await second.says('listening')
  t.is(await (await fetch(`http://127.0.0.1:${other}/`)).text(), 'hello from /\n')
  const third = run(t, script, [`--port=${port}`])
  t.is(await third.ended, 1)
  t.true(third.lines()[0].endsWith(`TCP port ${port} of this host is in use already: stop the other program, or choose another port`))
  t.false(third.lines().some(line => line.includes('listening')))
  first.child.kill('SIGINT')
  t.is(await first.ended, 0)
  t.is(first.lines()[0], 'WRN [args] environment (XEN_TS_...): unknown argument prot; did you mean --port?')
})

test('the same script is a CommonJS module, and one of ECMAScript where package.json says so', async t => {
  const script = await build(t, join(examples, 'handler'))
  for (const type of ['commonjs', 'module']) {
    const folder = emptyFolder(t)
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ type }))
    writeFileSync(join(folder, 'app.js'), readFileSync(script))
    const running = run(t, join(folder, 'app.js'), ['--help'])
    t.is(await running.ended, 0)
    t.regex(running.output(), /^handler: arguments, on the command line; or XEN_TS_NAME in the environment\n/)
    t.regex(running.output(), /\n {2}--port-map=TEXT,\.\.\. +ports to listen on/)
  }
})

test('exit codes: 0 when start returns, 1 for what it throws, 2 for how it was called; a second signal ends it at once', async t => {
  const body = (text: string) => folderOf(t, { 'app.ts': program(text) })
  const start = async (text: string, args: readonly string[] = []): Promise<Running> => run(t, await build(t, body(text)), args)
  const good = await start("say('done')")
  t.is(await good.ended, 0)
  t.deepEqual(good.lines(), ['INF [app] done'])
  const thrown = await start("throw new Error('broken')")
  t.is(await thrown.ended, 1)
  t.regex(thrown.lines()[0], /^ERR \[.+\] Error: broken/)
  const later = await start("setTimeout(() => { throw new Error('broken later') }, 10); await new Promise(() => {})")
  t.is(await later.ended, 1)
  t.regex(later.lines()[0], /^ERR \[.+\] uncaught Error: broken later/)
  const rejected = await start("void Promise.reject(new Error('rejected')); await new Promise(() => {})")
  t.is(await rejected.ended, 1)
  for (const [args, text] of [
    [['--gretting=Hi'], 'unknown argument --gretting=Hi'],
    [['word'], 'unknown argument word'],
    [['quiet'], 'unknown argument quiet'], // of Linux's command line, not of ours
    [['--port-map=80'], "--port-map: '80' is not a pair of ports; write the program's and the host's, 80:8080"],
  ] as const) {
    const misused = await start("say('never')", args)
    t.is(await misused.ended, 2)
    t.true(misused.lines()[0].includes(text), misused.lines()[0])
  }
  const stubborn = await start("say('waiting'); await new Promise(() => {})")
  await stubborn.says('waiting')
  stubborn.child.kill('SIGINT')
  await stubborn.says('shutdown requested')
  stubborn.child.kill('SIGINT')
  t.is(await stubborn.ended, 130)
})

test('Node, its network and its modules, as a program has them; sockets of the stack', async t => {
  const root = folderOf(t, {
    'app.ts': `import { stack, unikernel, device } from 'xen-ts'
import { basename } from 'node:path'
const own = device({ name: 'own', on: { unix: { connect: async () => (await import('node:os')).EOL.length } } })
export default unikernel({ name: 'app', devices: { net: stack(), own: own }, async start({ net, own, log, clock, random }) {
  using receiver = net.udp.bind()
  using sender = await net.udp.connect({ host: 'localhost', port: receiver.port })
  await sender.send(new TextEncoder().encode('datagram'))
  const { data } = (await receiver.receive())!
  log.info(\`\${basename('/a/b')} \${own} \${new TextDecoder().decode(data)} \${random.bytes(3).length} \${clock.now() > 0}\`)
} })`,
  })
  const running = run(t, await build(t, root))
  t.is(await running.ended, 0, running.lines().join('\n'))
  t.deepEqual(running.lines(), ['INF [app] b 1 datagram 3 true'])
})

test('devices that are not there: the build says so, and where', async t => {
  for (const [name, from, targets] of [
    ['qrexec', '@xen-ts/qubes', 'target qubes'],
    ['screen', '@xen-ts/qubes', 'target qubes'],
    ['qubesdb', '@xen-ts/qubes', 'target qubes'],
    ['vchan', '@xen-ts/drivers', 'targets qubes, xen'],
  ]) {
    const root = folderOf(t, {
      'app.ts': `import { unikernel } from 'xen-ts'\nimport { ${name} } from '${from}'\nexport default unikernel({ name: 'app', devices: { it: ${name}() }, start() {} })\n`,
    })
    const error = (await t.throwsAsync(build(t, root), { instanceOf: CliError })) as CliError
    t.is(error.message, `${name}: only on ${targets} (target is unix)`)
    t.regex(`${error.where}`, /app\.ts:3/)
  }
})

test('a file that is none of ours is not overwritten, and a script has its name', async t => {
  const root = folderOf(t, { 'app.js': "export default { fetch: () => new Response('') }\n" })
  const output = join(root, 'app.js')
  await t.throwsAsync(buildProcess({ app: root, target: 'unix', output }), { message: /app\.js exists, and was not built by xen-ts$/ })
  await t.throwsAsync(buildProcess({ app: root, target: 'unix', output: join(root, 'app.mjs') }), {
    message: /is not the name of a script$/,
  })
  await buildProcess({ app: root, target: 'unix', output: join(root, 'out.js') })
  const { sha256 } = await buildProcess({ app: root, target: 'unix', output: join(root, 'out.js') })
  t.is((await buildProcess({ app: root, target: 'unix', output: join(root, 'out.js') })).sha256, sha256)
})
