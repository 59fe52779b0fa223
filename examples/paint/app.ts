/** Draws where the mouse is pressed: left black, right white; the middle button clears. Ends when the window is closed. */
import { screen, type Window } from '@xen-ts/qubes'
import { once, unikernel } from 'xen-ts'

const PAPER = 0xffffff
const INK = 0x202020
const BRUSH = 5
const LEFT = 1,
  MIDDLE = 2,
  RIGHT = 3

export default unikernel({
  name: 'paint',
  devices: { screen: screen() },
  async start({ screen, signal }) {
    const window = screen.window({ title: 'paint', class: 'xen-ts-paint', width: 640, height: 480 })
    window.setCursor('pencil')
    clear(window)
    let colour: number | undefined
    let last = { x: 0, y: 0 }
    window.on('button', ({ pressed, button, x, y }) => {
      if (button === MIDDLE && pressed) clear(window)
      if (button !== LEFT && button !== RIGHT) return
      colour = pressed ? (button === LEFT ? INK : PAPER) : undefined
      last = { x, y }
      if (colour !== undefined) stroke(window, last, last, colour)
    })
    window.on('motion', ({ x, y }) => {
      if (colour !== undefined) stroke(window, last, { x, y }, colour)
      last = { x, y }
    })
    const closed = new Promise<void>(resolve => {
      window.on('close', resolve)
    })
    await Promise.race([closed, once(signal)])
    window.close()
  },
})

function clear(window: Window): void {
  window.pixels.fill(PAPER)
  window.damage()
}

/** A line of squares: the mouse is faster than its events. */
function stroke(window: Window, from: { x: number; y: number }, to: { x: number; y: number }, colour: number): void {
  const steps = Math.max(1, Math.ceil(Math.max(Math.abs(to.x - from.x), Math.abs(to.y - from.y)) / 2))
  for (let step = 0; step <= steps; step++) {
    square(window, Math.round(from.x + ((to.x - from.x) * step) / steps), Math.round(from.y + ((to.y - from.y) * step) / steps), colour)
  }
}

function square(window: Window, x: number, y: number, colour: number): void {
  const { pixels, width, height } = window
  const left = Math.max(0, x - BRUSH),
    right = Math.min(width, x + BRUSH)
  if (left >= right) return
  for (let row = Math.max(0, y - BRUSH); row < Math.min(height, y + BRUSH); row++)
    pixels.fill(colour, row * width + left, row * width + right)
  window.damage(x - BRUSH, y - BRUSH, 2 * BRUSH, 2 * BRUSH)
}
