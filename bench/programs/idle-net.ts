/** Starts, takes its address and rests. */
import { once, stack, unikernel } from 'xen-ts'

export default unikernel({
  name: 'idle-net',
  devices: { stack: stack() },
  async start({ signal }) {
    await once(signal)
  },
})
