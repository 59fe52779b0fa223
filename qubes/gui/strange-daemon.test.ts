/** A GUI daemon that asks too much, or sends what it must not. */

import { words } from '@xen-ts/rig/dom0'
import test from 'ava'
import * as events from './events.ts'
import { setUp } from './testing.ts'
import '@xen-ts/drivers/sim/leak-check'

test('a daemon that asks for ever new sizes and acknowledges none gets no memory for it, and the last size when it does', async t => {
  const { xen, gui, daemon, ready, finish, guest, free } = setUp()
  const window = gui.window({ title: 'x', width: 64, height: 16 })
  await ready()
  await xen.advance(100)
  const send = daemon.send.bind(daemon)
  const acknowledgements: (() => Promise<void>)[] = []
  daemon.send = async (type, id, body) => {
    if (type !== 149) return send(type, id, body)
    acknowledgements.push(() => send(type, id, body))
  }
  const before = guest.freePages
  let least = before
  for (let n = 1; n <= 500; n++) {
    await xen.run(send(134, 1, words(0, 0, 64, 16 + (n % 17), 0)))
    await xen.settle()
    least = Math.min(least, guest.freePages)
  }
  t.is(acknowledgements.length, 1)
  t.true(before - least <= 3 * 3, `${before - least} pages`)
  daemon.send = send
  await xen.run(acknowledgements[0]())
  await xen.advance(5000)
  t.deepEqual([window.height, daemon.windows.get(1)!.image?.height], [16 + (500 % 17), 16 + (500 % 17)])
  await finish()
  t.is(guest.freePages, free)
})

test('a daemon that moves a window without end and reads no answer: no more of them are kept than the ring holds', async t => {
  const { xen, gui, daemon, ready, finish } = setUp()
  const window = gui.window({ title: 'x', width: 40, height: 30 })
  await ready()
  await xen.advance(100)
  let goOn = (): void => {}
  const held = new Promise<void>(resolve => {
    goOn = resolve
  })
  daemon.windows.get(1)!.paint = () => held
  window.damage()
  await xen.advance(100)
  let moves = 0
  window.on('move', () => {
    moves++
  })
  for (let n = 1; n <= 2000; n++) void daemon.send(134, 1, words(n, 0, 40, 30, 0)).catch(() => {})
  await xen.advance(1000)
  t.true(moves <= 4096 / 32 + 2, `${moves} were answered`)
  goOn()
  await xen.advance(5000)
  t.is(moves, 2000)
  await finish()
})

/** Messages a daemon may send for window 1; whether the agent must drop the connection. */
const HOSTILE: Record<string, [number, number, Buffer, boolean]> = {
  'key event of 16 bytes': [events.KEYPRESS, 1, Buffer.alloc(16), true],
  'key event of type 4': [events.KEYPRESS, 1, words(4, 0, 0, 0, 9), true],
  'keycode of 4 billion': [events.KEYPRESS, 1, words(2, 0, 0, 0, 0xffffffff), true],
  'button event of type 2': [events.BUTTON, 1, words(2, 0, 0, 0, 1), true],
  'button 256': [events.BUTTON, 1, words(4, 0, 0, 0, 256), true],
  'motion of 20 bytes': [events.MOTION, 1, Buffer.alloc(20), true],
  'crossing of type 0': [events.CROSSING, 1, Buffer.alloc(28), true],
  'focus of type 11': [events.FOCUS, 1, words(11, 0, 0), true],
  'size 0': [134, 1, words(0, 0, 0, 5, 0), true],
  'size of 4 billion': [134, 1, words(0, 0, 0xffffffff, 0xffffffff, 0), true],
  'size without memory for it': [134, 1, words(0, 0, 32767, 32767, 0), false],
  'configure of 16 bytes': [134, 1, Buffer.alloc(16), true],
  'configure of a window that is not there': [134, 99, words(0, 0, 5, 5, 0), false],
  'DESTROY of a window that is open': [131, 1, Buffer.alloc(0), false],
  'DESTROY with a body': [131, 1, Buffer.alloc(4), true],
  'an acknowledgement too many': [149, 1, Buffer.alloc(0), false],
  'close of a window that is not there': [137, 99, Buffer.alloc(0), false],
  'map of 4 bytes': [132, 1, Buffer.alloc(4), true],
  'flags both set and unset': [145, 1, words(1, 3), true],
  'flags of 4 bytes': [145, 1, Buffer.alloc(4), true],
  'flags of a later protocol': [145, 1, words(0xfffffff0, 0), false],
  'flags of a window that is not there': [145, 99, words(1, 0), false],
  'move to nowhere': [134, 1, words(0x80000000, 0x7fffffff, 40, 30, 0), false],
  'crossing of 24 bytes': [127, 1, Buffer.alloc(24), true],
  'focus of 8 bytes': [128, 1, Buffer.alloc(8), true],
  'close with a body': [137, 1, Buffer.alloc(1), true],
  'keymap of 31 bytes': [142, 0, Buffer.alloc(31), true],
  'paste of 256,000 bytes, as a qube with protocol 1.8 may copy': [140, 1, Buffer.alloc(256_000, 'x'), false],
  'paste of more than a MiB': [140, 1, Buffer.alloc((1 << 20) + 1), true],
  'paste that is not UTF-8': [140, 1, Buffer.from('ff00fe', 'hex'), false],
}

for (const [name, [type, id, body, drops]] of Object.entries(HOSTILE)) {
  test(`hostile daemon: ${name}: the window is shown ${drops ? 'to the next one' : 'still'}`, async t => {
    const { xen, guest, gui, daemon, ready, finish } = setUp()
    const window = gui.window({ title: 'x', width: 40, height: 30 })
    await ready()
    await xen.advance(100)
    void daemon.send(type, id, body).catch(() => {})
    await xen.advance(5000)
    t.is(
      guest.log.some(({ text }) => text.startsWith('connection lost: ProtocolError')),
      drops,
    )
    await ready()
    window.pixels[0] = 0xabcdef
    window.damage()
    await xen.advance(100)
    t.is(daemon.windows.get(1)?.picture.readUInt32LE(0), 0xabcdef)
    await finish()
  })
}
