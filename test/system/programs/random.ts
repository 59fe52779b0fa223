// Prints what must differ between two boots of one image.
import { unikernel } from 'xen-ts'

const atTopLevel = Math.random()

export default unikernel({
  name: 'random',
  async start({ log }) {
    const bytes = crypto.getRandomValues(new Uint8Array(16))
    log.info(`math ${Math.random()}`)
    log.info(`top ${atTopLevel}`)
    log.info(`bytes ${[...bytes].map(byte => byte.toString(16).padStart(2, '0')).join('')}`)
    log.info(`uuid ${crypto.randomUUID()}`)
  },
})
