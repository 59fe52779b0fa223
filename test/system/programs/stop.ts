// Waits for a shutdown request and says which it was.
import { unikernel } from 'xen-ts'

export default unikernel({
  name: 'stop',
  async start({ log, signal }) {
    log.info('waiting')
    await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve()))
    log.info('asked to stop')
  },
})
