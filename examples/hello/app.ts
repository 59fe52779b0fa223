/** Says hello three times, a second apart, and ends: the smallest program there is. */
import { unikernel } from 'xen-ts'

export default unikernel({
  name: 'hello',
  async start({ log, clock, signal }) {
    for (const count of [1, 2, 3]) {
      log.info(`hello ${count}`)
      await clock.sleep(1_000, { signal })
    }
    log.info('bye')
  },
})
