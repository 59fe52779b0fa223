// Writes 10 MiB of numbered lines as fast as it can: not one may be lost.
import { unikernel } from 'xen-ts'

/** With the time and source in front, a line has 128 bytes. */
const lines = (10 * 1024 * 1024) / 128

export default unikernel({
  name: 'flood',
  async start({ log }) {
    const filler = '.'.repeat(80)
    for (let i = 0; i < lines; i++) log.info(`flood ${i} ${filler}`.slice(0, 84))
    log.info('flood over')
  },
})
