/** Windows on real Xen: pages the program draws into, mapped by dom0; what the user does; a GUI daemon that starts again. */
import { inflateSync } from 'node:zlib'
import { type DaemonWindow, words } from '@xen-ts/rig/dom0'
import test from 'ava'
import { type Line, Terminal } from 'console-window/terminal'
import { XenTests } from './harness.ts'
import { type Qube, startQube } from './qube.ts'

const KEYPRESS = 124,
  BUTTON = 125,
  MOTION = 126,
  CLOSE = 137,
  CLIPBOARD = 140
const GREEN = 0x80e080
const COLOURS: Record<string, number> = { APP: GREEN, ERR: 0xff7060, WRN: 0xf0d060, INF: 0xd0d8e0 }

const xen = new XenTests(test)

/** The pixels of a PNG that encodePng made, 0xRRGGBB. */
function pixelsOf(png: Buffer): { width: number; height: number; pixels: Uint32Array } {
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)]
  const rows = inflateSync(png.subarray(41, png.length - 16))
  const pixels = Uint32Array.from({ length: width * height }, (_, at) =>
    rows.readUIntBE(Math.floor(at / width) * (1 + width * 3) + 1 + (at % width) * 3, 3),
  )
  return { width, height, pixels }
}

/** What the window of console-window must look like after these lines. */
function expected(width: number, height: number, lines: readonly Line[]): Uint32Array {
  const pixels = new Uint32Array(width * height)
  new Terminal({ width, height, pixels, damage() {} }).print(lines)
  return pixels
}

/** The log of the whole program so far, as it shows it in its window. */
function said({ lines }: Qube): Line[] {
  return lines.flatMap(line => {
    const [, time, level, rest] = /^[\d-]{10} ([\d:]{8})\.\d{3} -00:00: ([A-Z]{3}) (\[.*)/.exec(line) ?? []
    return level === undefined ? [] : [{ text: `${time} ${rest}`, colour: COLOURS[level]! }]
  })
}

/** Waits until the window's picture is that of the lines said up to one that matches, or further. */
async function shows(qube: Qube, pattern: RegExp): Promise<DaemonWindow> {
  const gui = qube.qubes.gui!
  await qube.line(pattern)
  const isShown = () => {
    const window = gui.windows.get(1)
    if (window?.image === undefined || window.pending !== undefined) return false
    const { width, height, pixels } = pixelsOf(window.png())
    const lines = said(qube)
    const first = lines.findIndex(({ text }) => pattern.test(text)) + 1
    for (let count = first; count <= lines.length; count++) if (same(expected(width, height, lines.slice(0, count)), pixels)) return true
    return false
  }
  await gui.until(isShown)
  return gui.windows.get(1)!
}

function same(a: Uint32Array, b: Uint32Array): boolean {
  return a.length === b.length && a.every((pixel, at) => pixel === b[at])
}

test.serial(
  'console-window: the picture is the log of all sources, pixel by pixel; size, keys, paste, another daemon, and the end',
  async t => {
    const qube = await startQube(xen, t, '../../examples/console-window', { seconds: 240 })
    const gui = qube.qubes.gui!
    const window = await shows(qube, /up for 1 s/)
    t.like(window, { title: 'console', class: 'xen-ts-console', width: 720, height: 408, mapped: true })

    await gui.resize(1, 501, 301) // no multiple of anything
    t.like(pixelsOf((await shows(qube, /the window is 501x301 now/)).png()), { width: 501, height: 301 })
    await gui.resize(1, 900, 500)
    t.like(pixelsOf((await shows(qube, /the window is 900x500 now/)).png()), { width: 900, height: 500 })

    await gui.send(KEYPRESS, 1, words(2, 5, 5, 0, 38))
    await gui.send(KEYPRESS, 1, words(3, 5, 5, 0, 38))
    t.true(pixelsOf((await shows(qube, /key 38/)).png()).pixels.includes(GREEN))
    await gui.send(CLIPBOARD, 1, Buffer.from('from another qube'))
    await shows(qube, /pasted: from another qube/)

    gui.disconnect()
    await gui.until(() => gui.minor === 0)
    t.is(gui.windows.size, 0)
    await gui.until(() => gui.windows.get(1)?.image !== undefined)
    t.like(gui.windows.get(1)!, { title: 'console', class: 'xen-ts-console', width: 900, height: 500 })
    await shows(qube, /pasted: from another qube/)

    await gui.send(CLOSE, 1)
    const { reason, lines } = await qube.ended
    t.is(reason, 'poweroff')
    t.false(
      lines.some(line => / (ERR|WRN) /.test(line)),
      lines.join('\n'),
    )
    // A page that dom0 still maps would keep the domain: it would be listed without a name.
    t.notRegex(await xen.rig.must('xl list'), /null/)
  },
)

test.serial(
  'paint: lines between the places where the mouse was, also outside of the window; xl shutdown with the window open',
  async t => {
    const qube = await startQube(xen, t, '../../examples/paint', { seconds: 120 })
    const gui = qube.qubes.gui!
    await gui.until(() => (gui.windows.get(1)?.damage.length ?? 0) > 0)
    const window = gui.windows.get(1)!
    const at = (x: number, y: number) => pixelsOf(window.png()).pixels[y * 640 + x]
    t.is(at(150, 100), 0xffffff)
    await gui.send(MOTION, 1, words(20, 20, 0, 0)) // nothing is pressed
    await gui.send(BUTTON, 1, words(4, 100, 100, 0, 1))
    await gui.send(MOTION, 1, words(300, 200, 256, 0))
    await gui.send(MOTION, 1, words(-50, 5000, 256, 0))
    await gui.send(BUTTON, 1, words(5, -50, 5000, 256, 1))
    await gui.until(() => at(300, 200) === 0x202020)
    t.deepEqual([at(100, 100), at(200, 150), at(20, 20), at(150, 300)], [0x202020, 0x202020, 0xffffff, 0xffffff])
    await gui.send(BUTTON, 1, words(4, 200, 150, 0, 2)) // the middle button clears
    await gui.until(() => at(200, 150) === 0xffffff)
    await qube.domain.shutdown()
    const { reason, lines } = await qube.ended
    t.is(reason, 'poweroff')
    t.false(
      lines.some(line => / (ERR|WRN) /.test(line)),
      lines.join('\n'),
    )
  },
)
