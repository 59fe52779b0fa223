/** What the user does with a window, as the program hears of it. */

import { words } from '@xen-ts/rig/dom0'
import test from 'ava'
import * as events from './events.ts'
import { setUp } from './testing.ts'
import '@xen-ts/drivers/sim/leak-check'

test('a key that is held while the keyboard goes to another window is released in the first', async t => {
  const { xen, gui, daemon, ready, finish } = setUp()
  const seen: string[] = []
  for (const title of ['one', 'two']) {
    gui.window({ title, width: 40, height: 30 }).on('key', ({ pressed, keycode }) => {
      seen.push(`${title} ${pressed} ${keycode}`)
    })
  }
  await ready()
  await xen.advance(100)
  const key = (id: number, type: number) => daemon.send(events.KEYPRESS, id, words(type, 0, 0, 0, 53))
  for (const [id, type] of [
    [1, 2],
    [2, 3],
    [2, 2],
    [2, 3],
  ])
    await key(id, type)
  await xen.advance(100)
  t.deepEqual(seen, ['one true 53', 'one false 53', 'two false 53', 'two true 53', 'two false 53'])
  await finish()
})

test('a window that the user moves says where it is', async t => {
  const { xen, gui, daemon, ready, finish } = setUp()
  const window = gui.window({ title: 'x', width: 40, height: 30 })
  const moves: unknown[] = []
  window.on('move', at => moves.push(at))
  window.on('resize', () => moves.push('resize'))
  await ready()
  await xen.advance(100)
  for (const x of [7, 7, -3]) {
    await daemon.send(134, 1, words(x, 9, 40, 30, 0))
    await xen.advance(100)
  }
  t.deepEqual(moves, [
    { x: 7, y: 9 },
    { x: -3, y: 9 },
  ])
  t.deepEqual([window.x, window.y, daemon.windows.get(1)!.x], [-3, 9, -3])
  await finish()
})

for (const [minor, most] of [
  [5, 65_000],
  [7, 65_000],
  [8, 256_000],
]) {
  test(`protocol 1.${minor}: ${most} bytes are copied to other qubes, and no more`, async t => {
    const { xen, gui, daemon, guest, ready, finish } = setUp({ minor })
    await ready()
    await xen.advance(100)
    gui.copy('x'.repeat(most))
    t.is((await xen.run(daemon.requestClipboard(1))).length, most)
    if (minor < 8) {
      gui.copy('x'.repeat(most + 1))
      t.is((await xen.run(daemon.requestClipboard(1))).length, 0)
      t.true(
        guest.log.some(
          ({ level, text }) => level === 'warn' && text.startsWith('nothing is copied to other qubes: RangeError: clipboard: 65001 bytes'),
        ),
      )
    }
    await finish()
  })
}

test('what the user does comes as typed events, to the window it is meant for', async t => {
  const { xen, gui, daemon, ready, finish } = setUp()
  const [window, other] = ['one', 'two'].map(title => gui.window({ title, width: 40, height: 30 }))
  const got: unknown[] = []
  for (const kind of ['key', 'button', 'motion', 'crossing', 'focus', 'paste', 'close'] as const) {
    window.on(kind, (event: unknown) => {
      got.push([kind, event])
    })
    other.on(kind, () => {
      t.fail()
    })
  }
  window.on('motion', () => {
    throw new Error('a slip of the program')
  })
  await ready()
  await xen.advance(100)
  const at = { x: -1, y: 2, state: 4 }
  const position = [0xffffffff, 2, 4]
  await daemon.send(events.KEYPRESS, 1, words(2, ...position, 38))
  await daemon.send(events.BUTTON, 1, words(5, ...position, 3))
  await daemon.send(events.MOTION, 1, words(...position, 0))
  await daemon.send(events.CROSSING, 1, words(7, ...position, 0, 0, 0))
  await daemon.send(events.KEYMAP_NOTIFY, 0, Buffer.alloc(32))
  await daemon.send(events.FOCUS, 1, words(9, 0, 0))
  await daemon.send(140, 1, Buffer.from('Grüße'))
  await daemon.send(events.CLOSE, 1)
  gui.copy('für andere')
  t.is((await xen.run(daemon.requestClipboard(1))).toString(), 'für andere')
  t.deepEqual(got, [
    ['key', { pressed: true, ...at, keycode: 38 }],
    ['button', { pressed: false, ...at, button: 3 }],
    ['motion', at],
    ['crossing', { inside: true, ...at }],
    ['key', { pressed: false, keycode: 38, x: 0, y: 0, state: 0 }],
    ['focus', true],
    ['paste', 'Grüße'],
    ['close', undefined],
  ])
  await finish()
})

test('handlers that fail for each key that is pressed do not fill the log', async t => {
  const { xen, gui, daemon, guest, ready, finish } = setUp()
  gui.window({ title: 'x', width: 40, height: 30 }).on('key', () => {
    throw new Error('no')
  })
  await ready()
  await xen.advance(100)
  for (let i = 0; i < 40; i++) await daemon.send(events.KEYPRESS, 1, words(2 + (i & 1), 0, 0, 0, 53))
  await xen.advance(100)
  t.is(guest.log.filter(({ level, text }) => level === 'error' && text.includes("handler of 'key' threw")).length, 10)
  await finish()
})
