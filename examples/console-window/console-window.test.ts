/** The picture that the terminal makes. With XEN_TS_PICTURES set it is also saved there, for looking at. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inflateSync } from 'node:zlib'
import { encodePng } from '@xen-ts/rig/dom0'
import test from 'ava'
import { glyphRow } from './font.ts'
import { type Surface, Terminal } from './terminal.ts'

const ASCII = Array.from({ length: 95 }, (_, index) => String.fromCharCode(0x20 + index)).join('')

function surface(width: number, height: number): Surface & { damaged: number } {
  return {
    width,
    height,
    pixels: new Uint32Array(width * height),
    damaged: 0,
    damage() {
      this.damaged++
    },
  }
}

test('the font has all of ASCII, no two characters alike, and no other', t => {
  const shapes = Array.from(ASCII, character => Array.from({ length: 8 }, (_, row) => glyphRow(character.charCodeAt(0), row)).join())
  t.is(new Set(shapes).size, 95)
  t.false(shapes.some(shape => shape.includes('NaN')))
  t.deepEqual(
    Array.from({ length: 8 }, (_, row) => glyphRow(0x41, row)),
    [14, 17, 17, 31, 17, 17, 17, 0],
  )
  for (const code of [0, 31, 127, 0xfc, 0xffff]) t.is(glyphRow(code, 1), glyphRow(0x3f, 1))
})

test('lines are wrapped, and the newest are shown; a PNG of it holds the same pixels', t => {
  const screen = surface(720, 400)
  const terminal = new Terminal(screen)
  const print = (text: string, colour = 0xd0d8e0): void => terminal.print([{ text, colour }])
  for (let line = 0; line < 40; line++) print(`line ${line} has gone by`)
  print(ASCII, 0x80e080)
  print('The quick brown fox jumps over the lazy dog.\n0123456789 {[(<=>)]} "Hi" it\'s 50% & $3; a_b ~ 10.137.0.16/32')
  t.is(screen.damaged, 43)
  const bytes = new Uint8Array(screen.pixels.buffer)
  const png = encodePng(screen.width, screen.height, bytes)
  if (process.env.XEN_TS_PICTURES !== undefined) writeFileSync(join(process.env.XEN_TS_PICTURES, 'console-window.png'), png)
  const data = png.subarray(8 + 25 + 8, png.length - 12 - 4)
  const rows = inflateSync(data)
  t.is(rows.length, 400 * (1 + 720 * 3))
  const at = screen.pixels.indexOf(0x80e080)
  t.true(at > 0)
  const [x, y] = [at % 720, Math.floor(at / 720)]
  t.is(rows.subarray(y * 2161 + 1 + x * 3).readUIntBE(0, 3), 0x80e080)
})

for (const [width, height] of [
  [1, 1],
  [13, 20],
  [30, 5],
  [5, 400],
]) {
  test(`a window of ${width}x${height} is drawn without harm`, t => {
    const screen = surface(width, height)
    const terminal = new Terminal(screen)
    t.notThrows(() =>
      terminal.print([
        { text: 'some text\n\nand more', colour: 1 },
        { text: '', colour: 2 },
      ]),
    )
    t.is(screen.pixels.length, width * height)
  })
}
