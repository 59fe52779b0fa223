/** Shows the program's log in a window: a line a second, one for each key, until the window is closed or the qube is shut down. */
import { screen } from '@xen-ts/qubes'
import { unikernel } from 'xen-ts'
import { Terminal } from './terminal.ts'

const GREEN = 0x80e080

export default unikernel({
  name: 'console-window',
  devices: { screen: screen() },
  async start({ screen, log, clock, signal }) {
    const window = screen.window({ title: 'console', class: 'xen-ts-console', width: 720, height: 400 })
    const terminal = new Terminal(window)
    const say = (text: string, colour?: number): void => {
      log.info(text)
      terminal.print(text, colour)
    }
    window.on('resize', ({ width, height }) => {
      terminal.draw()
      say(`the window is ${width}x${height} now`)
    })
    window.on('key', ({ pressed, keycode }) => { if (pressed) say(`key ${keycode}`, GREEN) })
    window.on('paste', (text) => say(`pasted: ${text}`, GREEN))
    window.on('close', () => window.close())
    for (let seconds = 0; !signal.aborted && !window.closed; seconds++) {
      say(`up for ${seconds} s`)
      await clock.sleep(1_000, { signal }).catch(() => {})
    }
    window.close()
  },
})
