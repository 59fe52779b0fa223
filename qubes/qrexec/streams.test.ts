/** The streams of a call as web streams: a service may do with them what it does with any. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { testMachine } from '@xen-ts/rig/dom0'
import * as web from '@xen-ts/runtime/web/inject'
import test from 'ava'
import { Text } from '../text.ts'
import { byteReader } from './streams.ts'
import { setUp, text, tick } from './testing.ts'

/** The guest's, with the types of those that programs see. */
const { ReadableStream, TransformStream, WritableStream } = web as unknown as typeof globalThis

const bytes = (value: string): Uint8Array => new Uint8Array(Buffer.from(value))

test('they are web streams', async t => {
  const { agent, daemon } = setUp()
  agent.service('kinds', ({ stdin, stdout, stderr }) => {
    const typed: [globalThis.ReadableStream<Uint8Array>, globalThis.WritableStream<Uint8Array | string>] = [stdin, stdout]
    t.is(typed.length, 2)
    t.true(stdin instanceof ReadableStream && stdout instanceof WritableStream && stderr instanceof WritableStream)
  })
  t.is((await daemon.call('kinds')).code, 0)
})

test('through a transform, with the backpressure of the ring', async t => {
  const { agent, daemon } = setUp()
  agent.service('upper', async ({ stdin, stdout }) => {
    const upper = new TransformStream<Uint8Array, string>({
      transform: (chunk, controller) => controller.enqueue(Buffer.from(chunk).toString().toUpperCase()),
    })
    await stdin.pipeThrough(upper).pipeTo(stdout)
    return 4
  })
  const result = await daemon.call('upper', { input: Buffer.alloc(300_000, 'abc') })
  t.is(result.code, 4)
  t.true(result.stdout.equals(Buffer.alloc(300_000, 'ABC')))
})

test('reader and writer by hand; what a writer holds comes before the exit code, awaited or not, released or not', async t => {
  for (const release of [true, false]) {
    const { agent, daemon } = setUp()
    agent.service('copy', async ({ stdin, stdout }) => {
      const reader = stdin.getReader()
      const writer = stdout.getWriter()
      for (let part; !(part = await reader.read()).done; ) void writer.write(part.value)
      void writer.write('.')
      if (release) writer.releaseLock()
      return 6
    })
    const result = await daemon.call('copy', { input: Buffer.alloc(200_000, 'x') })
    t.deepEqual([result.code, result.stdout.length, result.stdout.at(-1)], [6, 200_001, 0x2e])
    await daemon.idle()
  }
})

test('one part is read and the rest piped; the start is looked at and the rest dropped', async t => {
  const { agent, daemon } = setUp()
  const input = async function* (): AsyncGenerator<Uint8Array> {
    yield bytes('head ')
    await tick()
    yield bytes('tail')
    await tick()
    yield bytes('!')
  }
  agent.service('byRead', async ({ stdin, stdout }) => {
    await stdout.write(`<${Buffer.from((await stdin.read())!).toString()}>`)
    await stdin.pipeTo(stdout)
  })
  agent.service('byReader', async ({ stdin, stdout }) => {
    const reader = stdin.getReader()
    await stdout.write(`<${Buffer.from((await reader.read()).value!).toString()}>`)
    reader.releaseLock()
    await stdin.pipeTo(stdout)
  })
  agent.service('byLoop', async ({ stdin, stdout }) => {
    for await (const part of stdin) {
      await stdout.write(`<${Buffer.from(part).toString()}>`)
      break
    }
  })
  t.is(text(await daemon.call('byRead', { input: input() })).stdout, '<head >tail!')
  t.is(text(await daemon.call('byReader', { input: input() })).stdout, '<head >tail!')
  t.is(text(await daemon.call('byLoop', { input: input() })).stdout, '<head >')
  await daemon.idle()
})

test('a read that was given up loses no bytes: they come to the next reader, in order', async t => {
  const { agent, daemon } = setUp()
  agent.service('impatient', async ({ stdin, stdout }) => {
    const reader = stdin.getReader()
    const given = reader.read().catch(error => error.name)
    reader.releaseLock()
    await stdout.write(`${await given} `)
    await stdin.pipeTo(stdout)
  })
  const input = async function* (): AsyncGenerator<Uint8Array> {
    await tick()
    yield bytes('one ')
    await tick()
    yield bytes('two')
  }
  t.is(text(await daemon.call('impatient', { input: input() })).stdout, 'TypeError one two')
})

test('two at once are refused: readers, writers, and what is not bytes', async t => {
  const { agent, daemon } = setUp()
  agent.service('greedy', async ({ stdin, stdout }) => {
    const reading = stdin.text()
    await t.throwsAsync(stdin.bytes(), { name: 'TypeError', message: /locked/ })
    await t.throwsAsync(stdin.pipeTo(stdout), { name: 'TypeError', message: /locked/ })
    t.is(await reading, 'all')
    t.is(await stdin.text(), '')
    const writer = stdout.getWriter()
    await t.throwsAsync(stdout.write('x'), { name: 'TypeError', message: /has a writer/ })
    await writer.write('yes')
    writer.releaseLock()
    await t.throwsAsync(stdout.write(5 as never), { name: 'TypeError', message: /take bytes \(Uint8Array\) and text, not number/ })
    await t.throwsAsync(
      stdin.text(-1).then(() => {
        throw new RangeError()
      }),
      { name: 'RangeError' },
    )
  })
  t.deepEqual(text(await daemon.call('greedy', { input: 'all' })), { code: 0, stdout: 'yes', stderr: '' })
})

test('what a service writes after its end is an error of its own, and no byte of it goes out', async t => {
  const { agent, daemon } = setUp()
  const late = Promise.withResolvers<unknown[]>()
  agent.service('late', call => {
    const { stdout } = call
    const { signal } = call
    void (async () => {
      await tick()
      late.resolve(
        await Promise.all(
          [call.stderr.write('x'), stdout.write('x'), call.stdout.close()].map(done =>
            done.then(
              () => 'sent',
              error => error.name,
            ),
          ),
        ),
      )
    })()
    t.false(signal.aborted)
  })
  const input = async function* (): AsyncGenerator<Uint8Array> {
    await new Promise(resolve => {
      setTimeout(resolve, 40)
    })
  }
  t.deepEqual(text(await daemon.call('late', { input: input() })), { code: 0, stdout: '', stderr: '' })
  t.deepEqual(await late.promise, ['ChannelClosedError', 'TypeError', 'sent'])
  await daemon.idle()
})

test('too much for text() is an error, and the call ends', async t => {
  const { agent, daemon } = setUp()
  agent.service('small', async ({ stdin }) => {
    await t.throwsAsync(stdin.text(10), { name: 'RangeError', message: /more than 10 bytes/ })
  })
  t.is((await daemon.call('small', { input: 'x'.repeat(100_000) })).code, 0)
  await daemon.idle()
})

test('a caller that goes away fails every way of reading with ChannelClosedError', async t => {
  const { agent, daemon } = setUp()
  const names: string[] = []
  const note = (error: Error): void => {
    names.push(error.name)
  }
  agent.service('pipe', ({ stdin, stdout }) => stdin.pipeTo(stdout).catch(note))
  agent.service('text', ({ stdin }) => stdin.text().then(() => {}, note))
  agent.service('loop', async ({ stdin }) => {
    try {
      for await (const _ of stdin);
    } catch (error) {
      note(error as Error)
    }
  })
  agent.service('web', ({ stdin }) => stdin.pipeTo(new WritableStream()).catch(note))
  for (const service of ['pipe', 'text', 'loop', 'web']) {
    const caller = new AbortController()
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      yield bytes('x')
      await new Promise(() => {})
    }
    const call = daemon.call(service, { input: endless(), signal: caller.signal })
    await tick()
    caller.abort()
    await t.throwsAsync(call)
    await daemon.idle()
  }
  t.deepEqual(names, Array(4).fill('ChannelClosedError'))
})

test('a stream is the input of an outgoing call, and its output a stream', async t => {
  const { agent, daemon } = setUp({ policy: () => input => ({ stdout: input }) })
  await daemon.connected()
  const call = agent.call('work', 'my.Echo', ReadableStream.from([bytes('a'), bytes('b')]))
  const seen: string[] = []
  await call.stdout.pipeTo(
    new WritableStream<Uint8Array>({
      write: chunk => {
        seen.push(Buffer.from(chunk).toString())
      },
    }),
  )
  t.deepEqual([seen.join(''), (await call.wait()).code], ['ab', 0])
  await daemon.idle()
})

test('a service that passes a call on: stdin and stdout straight through another call', async t => {
  const { agent, daemon } = setUp({ policy: () => input => ({ stdout: Buffer.from(input.toString().toUpperCase()) }) })
  agent.service('proxy', async ({ stdin, stdout, argument }) => {
    const call = agent.call('work', `their.${argument}`, stdin)
    await call.stdout.pipeTo(stdout)
    return (await call.wait()).code
  })
  const result = await daemon.call('proxy+Service', { input: 'q'.repeat(150_000) })
  t.deepEqual([result.code, result.stdout.length, result.stdout[0]], [0, 150_000, 0x51])
  await daemon.idle()
})

test('a stream that is closed, or written, after its caller has gone, and not awaited: no lost error, which would end the domain', async t => {
  const { agent, daemon } = setUp()
  const lost: unknown[] = []
  const hook = (error: unknown): void => {
    lost.push(error)
  }
  process.on('unhandledRejection', hook)
  t.teardown(() => {
    process.off('unhandledRejection', hook)
  })
  const { promise: done, resolve } = Promise.withResolvers<void>()
  agent.service('late', async ({ stdout, stderr, signal }) => {
    await new Promise(aborted => {
      signal.addEventListener('abort', aborted)
    })
    void stdout.write('x')
    void stdout.close()
    void stderr.close()
    setTimeout(resolve, 20)
  })
  const gone = new AbortController()
  const waiting = async function* (): AsyncGenerator<Uint8Array> {
    yield bytes('half')
    await done
  }
  const ended = daemon.call('late', { signal: gone.signal, input: waiting() }).catch(String)
  await tick()
  gone.abort()
  await done
  await ended
  t.deepEqual(lost, [])
})

test('what comes byte by byte takes no more memory than its bytes: a peer may send it so', async t => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const used = (): number => {
    collect()
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  }
  const before = used()
  let after = 0
  let sent = 0
  const reader = byteReader(new Text(testMachine().abi), {
    async next() {
      if (sent < 300_000) return Uint8Array.of(sent++ & 0xff)
      after = used()
      return undefined
    },
  })
  const all = await reader.bytes()
  t.is(all.length, 300_000)
  t.true(all.every((byte, index) => byte === (index & 0xff)))
  t.true(after - before < 5e6, `${after - before} bytes for ${all.length}`)
})
