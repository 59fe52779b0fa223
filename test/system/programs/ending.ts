/** Services that are in the middle of something when the qube is asked to shut down. */
import { qrexec } from '@xen-ts/qubes'
import { once, unikernel } from 'xen-ts'

const sleep = (milliseconds: number): Promise<void> =>
  new Promise(resolve => {
    setTimeout(resolve, milliseconds)
  })

export default unikernel({
  name: 'ending',
  devices: { qrexec: qrexec() },
  async start({ qrexec, log, signal }) {
    qrexec.service('my.Echo', ({ stdin, stdout }) => stdin.pipeTo(stdout))
    qrexec.service('my.Tidy', async ({ signal, stdout }) => {
      await stdout.write('begun')
      await once(signal)
      await sleep(1500)
      await stdout.write(', tidied up')
      return 7
    })
    qrexec.service('my.Stubborn', async ({ stdout }) => {
      await stdout.write('begun')
      await new Promise(() => {})
    })
    log.info('ready')
    await once(signal)
  },
})
