/**
 * A program that knows nothing of its target: with the one beside it, which package.json names, its log goes to a syslog server too.
 *
 *     npx xen-ts configure examples/syslog-target --ipv4 10.0.0.7/24 -- --syslog=10.0.0.1
 *     npx xen-ts build examples/syslog-target
 */
import { unikernel } from 'xen-ts'

export default unikernel({
  name: 'clockwork',
  async start({ log, clock, signal }) {
    for (let count = 1; count <= 3; count++) {
      log.info(`tick ${count}`)
      await clock.sleep(1_000, { signal })
    }
    log.warn('the spring has run down')
  },
})
