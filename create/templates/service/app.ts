/** Offers the service user.CountWords to other qubes, until the qube is shut down. */
import { qrexec } from '@xen-ts/qubes'
import { once, unikernel } from 'xen-ts'
import { countWords } from './words.ts'

export default unikernel({
  name: '{{name}}',
  devices: { qrexec: qrexec() },
  async start({ qrexec, log, signal }) {
    qrexec.service('user.CountWords', async call => {
      const count = countWords(await call.stdin.text())
      await call.stdout.write(`${count}\n`)
    })
    log.info('user.CountWords is offered')
    await once(signal)
  },
})
