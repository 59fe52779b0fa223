/** The examples' programs on the simulated Xen, up to what the user sees. With XEN_TS_PICTURES set the pictures are saved there. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type DaemonWindow, words } from '@xen-ts/rig/dom0'
import { LogWriter } from '@xen-ts/runtime/machine'
import test from 'ava'
import consoleWindow from 'console-window'
import paint from 'paint'
import * as events from './events.ts'
import { setUp } from './testing.ts'
import '@xen-ts/drivers/sim/leak-check'

type Setting = ReturnType<typeof setUp>

/** Runs a program until its window is closed by the user, and `look`s at it before. */
async function run(
  program: { start(context: never): unknown },
  setting: Setting,
  look: (window: DaemonWindow, logs: LogWriter) => Promise<void>,
): Promise<void> {
  const { xen, guest, gui, daemon, ready, finish } = setting
  const sleep = (ms: number): Promise<void> =>
    new Promise(resolve => {
      guest.machine.timers.set(ms, resolve)
    })
  const logs = new LogWriter({ write() {}, now: () => guest.machine.abi.clockWall() })
  const context = { screen: gui, log: logs.programLog('program'), clock: { sleep }, signal: new AbortController().signal }
  const done = Promise.resolve(program.start(context as never))
  await ready()
  await xen.advance(3500)
  await look(daemon.windows.get(1)!, logs)
  await daemon.send(events.CLOSE, 1)
  await xen.run(done)
  await xen.advance(1000)
  await finish()
}

const save = (name: string, window: DaemonWindow): void => {
  if (process.env.XEN_TS_PICTURES !== undefined) writeFileSync(join(process.env.XEN_TS_PICTURES, name), window.png())
}

test('console-window shows what all sources say, each level in its colour, and keys', async t => {
  const setting = setUp()
  await run(consoleWindow, setting, async (window, logs) => {
    const shown = (colour: number): boolean =>
      new Uint32Array(window.picture.buffer, window.picture.byteOffset, window.picture.length / 4).includes(colour)
    t.false(shown(0xf0d060) || shown(0x80e080))
    logs.log('net-xen').warn('the backend went away')
    await setting.xen.advance(100)
    t.true(shown(0xf0d060))
    await setting.daemon.send(events.KEYPRESS, 1, words(2, 1, 1, 0, 38))
    await setting.xen.advance(100)
    t.true(shown(0x80e080))
    t.is(logs.recent().at(-1)?.message, 'key 38')
    t.is(window.cursor, 0x198)
    save('console-window-on-xen.png', window)
  })
})

test('paint draws between the places where the mouse was', async t => {
  const setting = setUp()
  await run(paint, setting, async window => {
    const { daemon, xen } = setting
    await daemon.send(events.MOTION, 1, words(20, 20, 0, 0)) // not pressed
    await daemon.send(events.BUTTON, 1, words(4, 100, 100, 0, 1))
    await daemon.send(events.MOTION, 1, words(300, 200, 256, 0))
    await daemon.send(events.MOTION, 1, words(-50, 5000, 256, 0)) // outside
    await daemon.send(events.BUTTON, 1, words(5, -50, 5000, 256, 1))
    await xen.advance(100)
    const at = (x: number, y: number): number => window.picture.readUInt32LE((y * 640 + x) * 4)
    t.deepEqual([at(100, 100), at(200, 150), at(300, 200), at(20, 20), at(150, 150)], [0x202020, 0x202020, 0x202020, 0xffffff, 0xffffff])
    save('paint.png', window)
  })
})
