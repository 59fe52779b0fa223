/** `xen-ts run --pcap FILE --stats`: what went over the wire and what was counted, also of a run that is killed; Wireshark's own reader judges. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { buildProgram } from 'xen-ts/tool'
import { complaints, tshark } from './tshark.ts'

const bin = fileURLToPath(import.meta.resolve('xen-ts/bin'))
const folder = mkdtempSync(join(tmpdir(), 'xen-ts-capture-'))
test.after.always(() => rmSync(folder, { recursive: true, force: true }))

const image = join(folder, 'handler.xen')
const address = ['ip=10.137.0.16/24', 'gateway=10.137.0.1']

test.before('the image is built', async () => {
  await buildProgram({ app: fileURLToPath(new URL('../../examples/handler', import.meta.url)), target: 'xen', output: image })
})

interface Run {
  readonly child: ChildProcess
  readonly code: Promise<number | null>
  /** Both outputs. */
  said(): string
  /** The first match, past or future. */
  until(pattern: RegExp): Promise<RegExpExecArray>
}

function run(...args: string[]): Run {
  const child = spawn(process.execPath, [bin, 'run', image, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = once(child, 'exit').then(([code]) => code as number | null)
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', part => (text += part))
  return {
    child,
    code: ended,
    said: () => text,
    async until(pattern) {
      let over = false
      void ended.then(() => (over = true))
      for (;;) {
        const found = pattern.exec(text)
        if (found !== null) return found
        if (over) throw new Error(`the run ended without ${pattern}:\n${text}`)
        await new Promise(resolve => setTimeout(resolve, 50))
      }
    },
  }
}

const fields = async (file: string, filter: string, ...names: string[]): Promise<string[]> => {
  const { stdout } = await tshark(file, '-Y', filter, '-T', 'fields', ...names.flatMap(name => ['-e', name]))
  return stdout.trimEnd().split('\n')
}

test.serial('a run that ends: every packet, the times of dom0, no malformed one and no wrong sum; and the counters', async t => {
  t.timeout(240_000)
  const script = 'ping -c 3 -s 1400 10.137.0.16 && for i in 1 2 3; do wget -q -O - http://10.137.0.16/number$i; done'
  const { code, said } = run('--port', '0', '--pcap', 'whole.pcapng', '--stats', '--exit', '--dom0', script, '--', ...address)
  t.is(await code, 0, said())
  const file = join(folder, 'whole.pcapng')
  t.is(await complaints(file), '')
  const [, count] = /(\d+) packets are in whole\.pcapng/.exec(said())!
  t.is((await fields(file, 'frame', 'frame.number')).length, Number(count))
  t.is((await fields(file, 'icmp.type == 0 && eth.src == 00:16:3e:5e:6c:00', 'frame.number')).length, 3)
  t.deepEqual(await fields(file, 'http.request', 'http.request.uri'), ['/number1', '/number2', '/number3'])
  t.deepEqual(await fields(file, 'http.response', 'http.response.code', 'frame.packet_flags_direction'), Array(3).fill('200\t0x00000002'))
  const [time] = await fields(file, 'http.request', 'frame.time_epoch')
  t.true(Math.abs(Number(time) * 1000 - Date.now()) < 600_000, time)
  t.regex(said(), /DBG \[counters\] memory\.free \d+, .*framesIn \d+, framesOut \d+, .*echoReplies 3/)
  // The judge is awake: the time to live of one answer changed, and a file that ends in the middle.
  const bytes = readFileSync(file)
  const header = bytes.lastIndexOf(Buffer.from('00163e5e6c00080045', 'hex'), bytes.indexOf('hello from /number2')) + 8
  bytes[header + 8] ^= 1
  writeFileSync(join(folder, 'wrong.pcapng'), bytes)
  t.regex(await complaints(join(folder, 'wrong.pcapng')), /HTTP.*200 OK/)
  writeFileSync(join(folder, 'cut.pcapng'), bytes.subarray(0, -7))
  t.regex(await complaints(join(folder, 'cut.pcapng')), /cut short/)
})

test.serial(
  'a run that is killed in the middle of traffic leaves a file that is whole; the counters come when they are asked for',
  async t => {
    t.timeout(240_000)
    const running = run('--port', '0', '--pcap', 'killed.pcapng', '--stats', '--timeout', '200', '--', ...address)
    t.teardown(() => running.child.kill('SIGKILL'))
    const [, port] = await running.until(/http:\/\/localhost:(\d+)\//)
    await running.until(/listening on/)
    running.child.kill('SIGUSR2')
    const [, before] = await running.until(/INF \[counters\] .*framesIn (\d+)/)
    const get = async () => (await fetch(`http://localhost:${port}/`)).text()
    for (let i = 0; i < 20; i++) t.is(await get(), 'hello from /\n')
    running.child.kill('SIGUSR2')
    const [, after] = await running.until(/\[counters\][^]*INF \[counters\] .*framesIn (\d+)/)
    t.true(Number(after) > Number(before) + 20)
    const load = (async () => {
      for (;;) await Promise.all([get(), get(), get(), get()])
    })().catch(() => {})
    await new Promise(resolve => setTimeout(resolve, 1_000))
    running.child.kill('SIGKILL')
    await running.code
    await load
    const file = join(folder, 'killed.pcapng')
    t.is(await complaints(file), '')
    t.true((await fields(file, 'http.request', 'frame.number')).length >= 20)
  },
)
