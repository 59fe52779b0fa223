/** Shows the log of the whole program in a window: what the drivers and agents say too, until it is closed or the qube is shut down. */
import { screen } from '@xen-ts/qubes'
import { type Level, type LogLine, unikernel } from 'xen-ts'
import { CELL_HEIGHT, CELL_WIDTH } from './font.ts'
import { Terminal } from './terminal.ts'

const SCALE = 2
const COLOURS: Record<Level, number> = { app: 0x80e080, error: 0xff7060, warn: 0xf0d060, info: 0xd0d8e0, debug: 0x8090a0 }

export default unikernel({
  name: 'console-window',
  devices: { screen: screen() },
  async start({ screen, log, clock, signal }) {
    const step = { width: CELL_WIDTH * SCALE, height: (CELL_HEIGHT + 1) * SCALE }
    const window = screen.window({
      title: 'console',
      class: 'xen-ts-console',
      width: 720,
      height: 408,
      sizes: { step, base: { width: 12, height: 12 } },
    })
    const terminal = new Terminal(window, SCALE)
    const show = (lines: readonly LogLine[]): void =>
      terminal.print(lines.map(line => ({ text: short(line), colour: COLOURS[line.level] })))
    show(log.recent())
    const end = log.tap(show)
    window.setCursor('text')
    window.on('resize', ({ width, height }) => {
      terminal.draw()
      log.info(`the window is ${width}x${height} now`)
    })
    window.on('key', ({ pressed, keycode }) => {
      if (pressed) log.app(`key ${keycode}`)
    })
    window.on('paste', text => log.app(`pasted: ${text}`))
    window.on('close', () => window.close())
    for (let seconds = 0; !signal.aborted && !window.closed; seconds++) {
      log.info(`up for ${seconds} s`)
      await clock.sleep(1_000, { signal }).catch(() => {})
    }
    end()
    window.close()
  },
})

/** Without the date: `18:29:54 [qubesdb] connected, 31 keys`. */
function short({ time, source, message }: LogLine): string {
  return `${new Date(time).toISOString().slice(11, 19)} [${source}] ${message}`
}
