/** Greets, waits a second, and ends. */
import { arg, unikernel } from 'xen-ts'
import { greeting } from './greeting.ts'

export default unikernel({
  name: '{{name}}',
  args: { who: arg.string({ default: 'world', doc: 'who is greeted' }) },
  async start({ args, log, clock, signal }) {
    log.info(greeting(args.who))
    await clock.sleep(1_000, { signal })
  },
})
