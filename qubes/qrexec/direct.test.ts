/** What is there already is passed on without waiting: a promise costs the guest's engine more than a piece of 4 KiB does. */
import { createHook } from 'node:async_hooks'
import { runs } from '@xen-ts/boot/fuzz'
import { memoryAbi } from '@xen-ts/boot/memory'
import type { ByteChannel } from '@xen-ts/drivers/channel'
import { testMachine } from '@xen-ts/rig/dom0'
import { Hub } from '@xen-ts/rig/dom0/hub'
import test from 'ava'
import fc from 'fast-check'
import { Text } from '../text.ts'
import { IncomingCall, type ServiceHandler } from './incoming.ts'
import { header, tick, u32 } from './testing.ts'

async function pipe(size = 65536): Promise<[ByteChannel, ByteChannel]> {
  const hub = new Hub()
  return Promise.all([hub.channels(0).serve(5, 513, { readSize: size, writeSize: size }), hub.channels(5).connect(0, 513)])
}

const hello = Buffer.concat([header(0x300, 4), u32(3)])
const frame = (type: number, body: Buffer): Buffer => Buffer.concat([header(type, body.length), body])
const end = header(0x190, 0)
const echo: ServiceHandler = ({ stdin, stdout }) => stdin.pipeTo(stdout)

function serve(channel: ByteChannel, handler = echo): { machine: ReturnType<typeof testMachine>; served: Promise<void> } {
  const machine = testMachine()
  const served = new Promise<void>((resolve, reject) => {
    const parts = {
      channels: { connect: async () => channel, serve: () => Promise.reject(new Error('nobody is served')) },
      text: new Text(memoryAbi),
      log: machine.log('qrexec'),
      timers: machine.timers,
      ending: { begun: new AbortController().signal, isOver: false },
      handler: () => handler,
      working() {},
      rests() {},
      over: (_call: IncomingCall, error: unknown) => (error === undefined ? resolve() : reject(error)),
    }
    const command = { service: 'x', argument: '', source: 'dom0', user: 'user' }
    new IncomingCall(parts, { session: undefined as never, domain: 0, port: 513 }, command, false).start()
  })
  return { machine, served }
}

/** Frames that come back, one after the other, up to the exit code. */
async function answers(caller: ByteChannel): Promise<{ output: Buffer; code: number }> {
  await caller.readExactly(12)
  const output: Uint8Array[] = []
  for (;;) {
    const [type, length] = new Uint32Array((await caller.readExactly(8))!.buffer) as unknown as [number, number]
    const body = length === 0 ? new Uint8Array(0) : (await caller.readExactly(length))!
    if (type === 0x191) output.push(body)
    else if (type === 0x193) return { output: Buffer.concat(output), code: body[0]! }
  }
}

// Others must not make promises meanwhile.
test.serial('a hundred pieces that are there go through an echo without a promise for each', async t => {
  const [caller, channel] = await pipe(1 << 20)
  const piece = Buffer.alloc(4096, 7)
  await caller.write(Buffer.concat([hello, ...Array(100).fill(frame(0x190, piece)), end]))
  let promises = 0
  const hook = createHook({ init: (_id, type) => (promises += type === 'PROMISE' ? 1 : 0) }).enable()
  const { served } = serve(channel)
  await served
  hook.disable()
  t.log(`${promises} promises`)
  t.true(promises < 150, `${promises} promises`)
  const { output, code } = await answers(caller)
  t.deepEqual([output.length, code, output.every(byte => byte === 7)], [409_600, 0, true])
})

test('however frames are cut, and whatever is between them, the output is the input', async t => {
  const frames = fc.array(fc.tuple(fc.constantFrom(0x190, 0x190, 0x190, 0x191, 0x192), fc.uint8Array({ minLength: 1, maxLength: 5000 })), {
    maxLength: 12,
  })
  await fc.assert(
    fc.asyncProperty(frames, fc.array(fc.integer({ min: 1, max: 6000 }), { minLength: 1, maxLength: 9 }), async (frames, cuts) => {
      const [caller, channel] = await pipe(4096)
      const all = Buffer.concat([hello, ...frames.map(([type, body]) => frame(type, Buffer.from(body))), end])
      const { served } = serve(channel)
      const read = answers(caller)
      for (let at = 0, n = 0; at < all.length; n++) {
        const length = cuts[n % cuts.length]!
        await caller.write(all.subarray(at, at + length))
        if (n % 3 === 0) await new Promise(setImmediate)
        at += length
      }
      const { output, code } = await read
      caller.close()
      await served
      t.deepEqual(output, Buffer.concat(frames.filter(([type]) => type !== 0x192).map(([, body]) => body)))
      t.is(code, 0)
    }),
    runs({ few: 60 }),
  )
})

test('a frame that is too long behind pieces that are there ends the service with an error, and so does an unknown one', async t => {
  for (const [bad, what] of [
    [header(0x190, 65537), /65537 bytes in one piece/],
    [header(0x777, 4), /unknown type 0x777/],
  ] as const) {
    const [caller, channel] = await pipe()
    await caller.write(Buffer.concat([hello, frame(0x190, Buffer.alloc(3000)), bad]))
    const { machine, served } = serve(channel)
    await tick()
    caller.close()
    await served.catch(() => {})
    t.regex(machine.lines.join('\n'), what)
  }
})
