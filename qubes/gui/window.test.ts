/** Windows over real vchans and grants on the simulated Xen: what the daemon sees, and that every page comes back. */

import { words } from '@xen-ts/rig/dom0'
import test from 'ava'
import type { Rectangle } from './messages.ts'
import * as messages from './messages.ts'
import { setUp } from './testing.ts'
import '@xen-ts/drivers/sim/leak-check'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

test('golden bytes of the messages', t => {
  const at = { x: 1, y: -2, width: 3, height: 4 }
  t.is(hex(messages.create(7, at)), '820000000700000018000000' + '01000000feffffff0300000004000000' + '0000000000000000')
  t.is(hex(messages.destroy(7)), '830000000700000000000000')
  t.is(hex(messages.map(7)), '840000000700000008000000' + '0000000000000000')
  t.is(hex(messages.unmap(7)), '850000000700000000000000')
  t.is(hex(messages.configure(7, at)), '860000000700000014000000' + '01000000feffffff030000000400000000000000')
  t.is(hex(new messages.ShmImage(7).of({ ...at, y: 2 })), '880000000700000010000000' + '01000000020000000300000004000000')
  t.is(hex(messages.wmName(7, Buffer.from('Hi'))), '8d0000000700000080000000' + '4869' + '00'.repeat(126))
  t.is(hex(messages.wmClass(7, Buffer.from('c'))), '920000000700000080000000' + ('63' + '00'.repeat(63)).repeat(2))
  const [min, max, step, base] = [1, 3, 5, 7].map(width => ({ width, height: width + 1 }))
  t.is(
    hex(messages.windowHints(7, { min, max })),
    '900000000700000024000000' + '30000000' + '0100000002000000' + '0300000004000000' + '00'.repeat(16),
  )
  t.is(
    hex(messages.windowHints(7, { step, base, placed: true })),
    '900000000700000024000000' + '44010000' + '00'.repeat(16) + '0500000006000000' + '0700000008000000',
  )
  t.is(hex(messages.windowFlags(7, 1, 2)), '910000000700000008000000' + '0100000002000000')
  t.is(hex(messages.cursor(7, 'text')), '940000000700000004000000' + '98010000')
  t.is(hex(messages.cursor(7, 'default')), '940000000700000004000000' + '00000000')
  t.is(
    hex(messages.windowDump(7, 32, 33, [8, 0x109])),
    '930000000700000018000000' + '00000000200000002100000018000000' + '0800000009010000',
  )
  t.is(hex(messages.clipboardData(7, Buffer.from('x'))), '8c0000000700000001000000' + '78')
})

test('a title that is too long ends between two characters', t => {
  const body = Buffer.from(messages.wmName(1, Buffer.from('a' + 'ü'.repeat(100)))).subarray(12)
  t.is(body.length, 128)
  t.is(body.toString('utf8', 0, body.indexOf(0)), 'a' + 'ü'.repeat(63))
  t.is(
    Buffer.from(messages.wmName(1, Buffer.from('ü'.repeat(100))))
      .subarray(12)
      .indexOf(0),
    126,
  )
})

test('what the daemon would die of is refused before it is sent', async t => {
  const { gui, ready, finish, guest, free } = setUp()
  await ready()
  for (const [width, height] of [
    [0, 1],
    [1, 0],
    [16385, 1],
    [1, 6145],
    [1.5, 1],
    [NaN, 1],
    [-1, 1],
  ]) {
    t.throws(() => gui.window({ title: 'x', width, height }), { instanceOf: RangeError, message: /whole numbers from 1x1 to 16384x6144/ })
  }
  t.throws(() => gui.window({ title: 'x', width: 1, height: 1, class: 'c'.repeat(64) }), { instanceOf: RangeError })
  t.throws(() => messages.windowDump(1, 1025, 1, [8]), { instanceOf: RangeError })
  t.throws(() => gui.copy('x'.repeat(256_001)), { instanceOf: RangeError, message: /256001 bytes of UTF-8, the most is 256000/ })
  const [small, large] = [
    { width: 10, height: 10 },
    { width: 20, height: 5 },
  ]
  t.throws(() => gui.window({ title: 'x', ...small, sizes: { min: small, max: large } }), {
    instanceOf: RangeError,
    message: /10x10, is above the largest, 20x5/,
  })
  t.throws(() => gui.window({ title: 'x', ...small, sizes: { step: { width: 0, height: 1 } } }), {
    instanceOf: RangeError,
    message: /sizes.step of window/,
  })
  t.throws(() => messages.windowFlags(1, 3, 2), { instanceOf: RangeError })
  const window = gui.window({ title: 'x', ...small })
  t.throws(() => window.setCursor('toString' as never), {
    instanceOf: RangeError,
    message: /there is no cursor 'toString'; there are default, pointer/,
  })
  window.close()
  t.throws(() => gui.window({ title: 'x', width: 16384, height: 6144 }), { code: 'ENOMEM' })
  await finish()
  t.is(guest.freePages, free)
})

for (const minor of [5, 7]) {
  for (const seed of [undefined, 1, 2]) {
    test(`protocol 1.${minor}, ${seed === undefined ? 'events in order' : `random order ${seed}`}: a window from open to close`, async t => {
      const { xen, gui, daemon, ready, finish, guest, free } = setUp({ minor, seed })
      const window = gui.window({ title: 'Grüße', width: 100, height: 50, class: 'test', resizable: false }) // before there is a daemon
      window.pixels.fill(0x112233)
      await ready()
      await xen.advance(100)
      const seen = daemon.windows.get(1)!
      t.deepEqual([seen.title, seen.class, seen.mapped, seen.width, seen.height, seen.hints[0]], ['Grüße', 'test', true, 100, 50, 48])
      t.is(seen.picture.readUInt32LE(99 * 4), 0x112233)
      t.deepEqual(seen.damage, [{ x: 0, y: 0, width: 100, height: 50 }])

      window.pixels[3 * 100 + 2] = 0xff0000
      window.damage(2, 3, 1, 1)
      window.damage(-5, 4, 7.5, 1)
      window.damage(200, 0, 5, 5) // outside
      await xen.advance(100)
      t.deepEqual(seen.damage.slice(1), [{ x: 0, y: 3, width: 3, height: 2 }])
      t.is(seen.picture.readUInt32LE((3 * 100 + 2) * 4), 0xff0000)

      const sizes: unknown[] = []
      window.on('resize', size => {
        sizes.push(size)
        window.pixels.fill(0x445566, 150 * 60)
      })
      await xen.run(daemon.resize(1, 150, 70))
      await xen.advance(100)
      t.deepEqual(sizes, [{ width: 150, height: 70 }])
      t.deepEqual(seen.image && [seen.image.width, seen.image.height], [150, 70])
      t.is(seen.picture.readUInt32LE((3 * 150 + 2) * 4), 0xff0000)
      t.is(seen.picture.readUInt32LE(69 * 150 * 4), 0x445566)

      window.setTitle('other')
      window.resize(20, 10)
      await xen.advance(3000)
      t.deepEqual([seen.title, seen.width, seen.height, seen.image?.refs.length], ['other', 20, 10, 1])

      const before = guest.freePages
      window.close()
      window.close()
      t.is(guest.freePages, before) // not before the daemon has let go of it
      await xen.advance(3000)
      t.is(guest.freePages, before + 1)
      t.is(daemon.windows.size, 0)
      t.is(window.pixels.length, 0)
      await finish()
      t.is(guest.freePages, free)
    })
  }
}

test('what is drawn while the daemon takes nothing is told as one rectangle when it does, and only the ring is full meanwhile', async t => {
  const { xen, gui, daemon, ready, finish } = setUp()
  const window = gui.window({ title: 'x', width: 2000, height: 20 })
  await ready()
  await xen.advance(100)
  const seen = daemon.windows.get(1)!
  const paint = seen.paint.bind(seen)
  let goOn = (): void => {}
  const held = new Promise<void>(resolve => {
    goOn = resolve
  })
  seen.paint = body => held.then(() => paint(body))
  const before = seen.damage.length
  for (let x = 0; x < 1000; x++) {
    window.fill(x, x, 5, 2, 2)
    await xen.settle()
  }
  const inRing = Math.ceil(4096 / 28) + 2 // and one that the daemon has read, one that is being written
  goOn()
  await xen.advance(1000)
  const told = seen.damage.slice(before)
  t.true(told.length > 1 && told.length <= inRing + 1, String(told.length))
  t.deepEqual(told[0], { x: 0, y: 5, width: 2, height: 2 })
  t.deepEqual(told.at(-1), { x: told.length - 1, y: 5, width: 1001 - (told.length - 1), height: 2 })
  t.is(seen.picture.readUInt32LE((6 * 2000 + 999) * 4), 999)
  await finish()
})

test('the old image stays granted until WINDOW_DUMP_ACK, even when nobody has mapped it', async t => {
  const { xen, gui, daemon, ready, finish, guest } = setUp()
  const window = gui.window({ title: 'x', width: 64, height: 64 })
  await ready()
  await xen.advance(100)
  let held = true
  const send = daemon.send.bind(daemon)
  let acknowledge = (): Promise<void> => Promise.resolve()
  daemon.send = async (type, id, body) => {
    if (type === 149 && held) acknowledge = () => send(type, id, body)
    else await send(type, id, body)
  }
  const before = guest.freePages
  window.resize(128, 64)
  await xen.advance(5000)
  t.is(guest.freePages, before - 8)
  held = false
  await xen.run(acknowledge())
  await xen.advance(100)
  t.is(guest.freePages, before - 4)
  await finish()
})

test('a larger image that cannot be granted: the one before comes back', async t => {
  const { xen, gui, daemon, ready, finish, guest, free } = setUp()
  const window = gui.window({ title: 'x', width: 64, height: 16 })
  await ready()
  await xen.advance(100)
  guest.maxGrantFrames = 2
  t.throws(() => window.resize(1024, 1024), { code: 'no_space' })
  await xen.advance(1000)
  await xen.run(daemon.send(134, 1, words(0, 0, 2048, 1024, 0)))
  await xen.advance(5000)
  await finish()
  t.is(guest.freePages, free)
})

test('a window that cannot become as large as the daemon wants says so once', async t => {
  const { xen, guest, gui, daemon, ready, finish } = setUp()
  gui.window({ title: 'x', width: 40, height: 30 })
  await ready()
  for (let n = 0; n < 100; n++) await xen.run(daemon.send(134, 1, words(n, 0, 16384, 6144, 0)))
  await xen.advance(1000)
  t.is(guest.log.filter(({ level, text }) => level === 'warn' && /cannot become 16384x6144/.test(text)).length, 1)
  await finish()
})

test('a new daemon is told everything again', async t => {
  const { xen, gui, daemon, ready, finish } = setUp()
  const [first, second] = ['one', 'two'].map(title => gui.window({ title, width: 40, height: 30 }))
  await ready()
  first.pixels.fill(7)
  first.damage()
  second.close()
  daemon.disconnect()
  await xen.advance(5000)
  await ready()
  await xen.advance(100)
  t.deepEqual(
    [...daemon.windows.values()].map(({ title, mapped }) => [title, mapped]),
    [['one', true]],
  )
  t.is(daemon.windows.get(1)!.picture.readUInt32LE(0), 7)
  await finish()
})

test('the agent ends: the daemon is not asked for anything that it would answer into a closed channel', async t => {
  const { xen, gui, daemon, ready, finish } = setUp()
  gui.window({ title: 'open', width: 40, height: 30 })
  await ready()
  await xen.advance(100)
  t.true(daemon.windows.get(1)?.mapped)
  const answers: number[] = []
  daemon.send = async type => {
    answers.push(type)
  }
  gui.close()
  await xen.advance(100)
  t.is(daemon.minor, 0)
  t.deepEqual(answers, [])
  await finish()
})

test('cursor, hints and flags: told at once, told again to a new daemon, and what the window manager made of them comes back', async t => {
  const { xen, gui, daemon, ready, finish } = setUp({ minor: 8 })
  const sizes = { min: { width: 20, height: 10 }, step: { width: 6, height: 8 } }
  const window = gui.window({ title: 'one', width: 40, height: 30, x: 5, y: 6, sizes })
  window.setCursor('text')
  window.setFullscreen(true)
  const states: unknown[] = []
  window.on('state', state => states.push(state))
  await ready()
  await xen.advance(100)
  const seen = (): [number, number, number[]] => {
    const { cursor, flags, hints } = daemon.windows.get(1)!
    return [cursor, flags, hints]
  }
  const hints = [4 | 16 | 64, 20, 10, 0, 0, 6, 8, 0, 0]
  t.deepEqual(seen(), [0x198, 1, hints])
  t.deepEqual(states, [])
  window.setFullscreen(true) // no change
  for (const change of [
    () => window.setFullscreen(false),
    () => window.setAttention(true),
    () => window.minimize(),
    () => window.setCursor('default'),
  ]) {
    change()
    await xen.advance(100)
  }
  t.deepEqual(seen(), [0, 6, hints])
  t.deepEqual(states, [
    { fullscreen: false, minimized: false, attention: false },
    { fullscreen: false, minimized: false, attention: true },
    { fullscreen: false, minimized: true, attention: true },
  ])
  await daemon.send(145, 1, words(0, 6)) // the user has looked
  await xen.advance(100)
  t.deepEqual(window.state, { fullscreen: false, minimized: false, attention: false })
  window.setFullscreen(true)
  window.setCursor('pencil')
  window.minimize()
  await xen.advance(100)
  daemon.disconnect()
  await xen.advance(5000)
  await ready()
  await xen.advance(100)
  t.deepEqual(seen(), [0x156, 1, hints])
  t.deepEqual(window.state, { fullscreen: true, minimized: false, attention: false })
  await finish()
})

test('fill draws what of a rectangle is inside of the window, pixel by pixel the same as a loop would, and damages just that', async t => {
  const { gui, daemon, ready, finish, xen } = setUp()
  await ready()
  const window = gui.window({ title: 'fill', width: 50, height: 70 })
  await xen.run(daemon.until(() => daemon.windows.get(1)?.damage.length === 1))
  const shown = daemon.windows.get(1)!
  const expected = new Uint32Array(50 * 70)
  const whole = { x: 0, y: 0, width: 50, height: 70 }
  const cases: [number[], Rectangle | undefined][] = [
    [[], whole],
    [[3, 4, 5, 6], { x: 3, y: 4, width: 5, height: 6 }],
    [[0, 10, 50, 37], { x: 0, y: 10, width: 50, height: 37 }],
    [[-9, 69, 20, 20], { x: 0, y: 69, width: 11, height: 1 }],
    [[49, -1, 7, 99], { x: 49, y: 0, width: 1, height: 70 }],
    [[1.5, 2.5, 1, 1], { x: 1, y: 2, width: 2, height: 2 }],
    [[50, 0, 1, 1], undefined],
    [[0, 0, 0, 5], undefined],
    [[NaN], undefined],
    [[-1e9, -1e9, 2e9, 2e9], whole],
  ]
  for (const [index, [numbers, area]] of cases.entries()) {
    const colour = 0xa00000 + index
    const before = shown.damage.length
    window.fill(colour, ...(numbers as []))
    if (area !== undefined) {
      for (let y = area.y; y < area.y + area.height; y++) for (let x = area.x; x < area.x + area.width; x++) expected[y * 50 + x] = colour
      await xen.run(daemon.until(() => shown.damage.length > before))
    } else {
      await xen.settle()
    }
    t.deepEqual(shown.damage.slice(before), area === undefined ? [] : [area], numbers.join())
    t.deepEqual([...window.pixels], [...expected], numbers.join())
  }
  window.close()
  window.fill(1)
  await finish()
})

test('a qube that was saved and restored shows its windows again: with pages granted anew, and none left over', async t => {
  const { xen, guest, gui, daemon, ready, restored, finish, free } = setUp()
  const window = gui.window({ title: 'x', width: 100, height: 50 })
  window.pixels.fill(0x112233)
  await ready()
  await xen.advance(100)
  t.is(daemon.windows.get(1)!.picture.readUInt32LE(0), 0x112233)
  await restored(7)
  await xen.advance(20_000)
  t.is(daemon.windows.get(1)!.picture.readUInt32LE(99 * 4), 0x112233)
  await finish()
  t.is(guest.freePages, free)
})
