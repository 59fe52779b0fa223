/** Lines of text on a surface of pixels, the newest at the bottom. It knows nothing of windows, so a test can look at what it draws. */
import { CELL_HEIGHT, CELL_WIDTH, glyphRow } from './font.ts'

/** What a Window is, as far as a terminal cares. */
export interface Surface {
  readonly width: number
  readonly height: number
  /** 0xRRGGBB, row after row. */
  readonly pixels: Uint32Array
  damage(): void
}

export interface Line {
  readonly text: string
  readonly colour: number
}

const BACKGROUND = 0x101820
const MARGIN = 6
const KEPT = 500

export class Terminal {
  readonly #surface: Surface
  readonly #scale: number
  #lines: Line[] = []

  /** @param scale pixels of the screen for a pixel of the font, each way */
  constructor(surface: Surface, scale = 2) {
    this.#surface = surface
    this.#scale = scale
    this.draw()
  }

  /** Several at once are drawn once. */
  print(lines: readonly Line[]): void {
    for (const { text, colour } of lines) this.#lines.push(...text.split('\n').map(line => ({ text: line, colour })))
    if (this.#lines.length > KEPT) this.#lines = this.#lines.slice(-KEPT)
    this.draw()
  }

  /** All of it: after a change of the size as well. */
  draw(): void {
    const { pixels, width, height } = this.#surface
    const columns = Math.max(1, Math.floor((width - 2 * MARGIN) / (CELL_WIDTH * this.#scale)))
    const lineHeight = (CELL_HEIGHT + 1) * this.#scale
    const rows = Math.floor((height - 2 * MARGIN) / lineHeight)
    pixels.fill(BACKGROUND)
    const visible: Line[] = []
    for (let i = this.#lines.length - 1; i >= 0 && visible.length < rows; i--) visible.unshift(...wrap(this.#lines[i], columns))
    visible.slice(-Math.max(0, rows)).forEach((line, row) => {
      if (rows > 0) this.#text(line, MARGIN + row * lineHeight)
    })
    this.#surface.damage()
  }

  /** Runs of pixels are filled, not pixels one by one: each step costs. */
  #text({ text, colour }: Line, top: number): void {
    const { pixels, width } = this.#surface
    const scale = this.#scale
    for (let column = 0; column < text.length; column++) {
      const code = text.charCodeAt(column)
      if (code === 0x20) continue
      const left = MARGIN + column * CELL_WIDTH * scale
      for (let row = 0; row < CELL_HEIGHT; row++) {
        const bits = glyphRow(code, row)
        for (let y = 0; bits !== 0 && y < scale; y++) {
          const at = (top + row * scale + y) * width + left
          for (let x = 0; x < 5; x++) if ((bits >>> (4 - x)) & 1) pixels.fill(colour, at + x * scale, at + (x + 1) * scale)
        }
      }
    }
  }
}

function wrap({ text, colour }: Line, columns: number): Line[] {
  const lines: Line[] = []
  for (let at = 0; at === 0 || at < text.length; at += columns) lines.push({ text: text.slice(at, at + columns), colour })
  return lines
}
