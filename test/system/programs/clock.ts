// Tells the wall clock and the monotonic clock ten times, half a second apart, so that a test can compare them with dom0's.
import { unikernel } from 'xen-ts'

export default unikernel({
  name: 'clock',
  async start({ log }) {
    for (let i = 0; i < 10; i++) {
      log.info(`tick ${i} wall ${Date.now()} mono ${performance.now().toFixed(3)}`)
      await new Promise(resolve => setTimeout(resolve, 500))
    }
  },
})
