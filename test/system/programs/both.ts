// Asks for the network device twice, with and without the stack.
import { ethernet } from '@xen-ts/drivers'
import { stack, unikernel } from 'xen-ts'

export default unikernel({
  name: 'both',
  devices: { ethernet: ethernet(), stack: stack() },
  async start({ log }) {
    log.info('started')
  },
})
