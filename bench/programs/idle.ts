/** Starts and rests: what remains is the kernel and the runtime, and on target qubes the agents. */
import { once, unikernel } from 'xen-ts'

export default unikernel({
  name: 'idle',
  async start({ signal }) {
    await once(signal)
  },
})
