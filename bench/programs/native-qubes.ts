/**
 * What `bench native` counts on target qubes: a service of qrexec that answers its input's length, a vchan that gives back what it gets, a window
 * in which a key draws a square, and a key of QubesDB whose changes are heard.
 */
import { vchan } from '@xen-ts/drivers'
import { qrexec, qubesdb, screen } from '@xen-ts/qubes'
import { once, unikernel } from 'xen-ts'

const [WIDTH, HEIGHT, SQUARE] = [640, 480, 64]
const PORT = 5010
/** A key that draws nothing and tells so many frames. */
const [TELLING, FRAMES] = [39, 50]

export default unikernel({
  name: 'native-qubes',
  devices: { qrexec: qrexec(), screen: screen(), vchan: vchan(), qubesdb: qubesdb() },
  async start({ qrexec, screen, vchan, qubesdb, log, signal }) {
    qrexec.service('bench.Length', async ({ stdin, stdout }) => {
      await stdout.write(`${(await stdin.text()).length}\n`)
    })
    let drawn = 0
    const window = screen.window({ title: 'native', width: WIDTH, height: HEIGHT })
    const tell = async () => {
      for (let frame = 0; frame < FRAMES; frame++) {
        window.damage()
        await window.frame()
      }
    }
    window.on('key', ({ keycode }) => {
      if (keycode === TELLING) void tell()
      else window.fill(drawn * 4711, (drawn++ * SQUARE) % (WIDTH - SQUARE), 0, SQUARE, SQUARE)
    })
    qubesdb.watch('/bench', ({ value }) => void qubesdb.write('/heard', value ?? ''))
    const serve = async () => {
      for (;;) {
        const channel = await vchan.serve(0, PORT, { readSize: 4096, writeSize: 4096 })
        for (let bytes; (bytes = await channel.read()) !== undefined; ) await channel.write(bytes)
        channel.close()
      }
    }
    void serve()
    log.info('ready')
    await once(signal)
  },
})
