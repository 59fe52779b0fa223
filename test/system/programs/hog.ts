// Takes memory until there is none: the error must be one that can be caught, and the program goes on.
import { arg, unikernel } from 'xen-ts'

export default unikernel({
  name: 'hog',
  args: { catch: arg.boolean({ default: true, doc: 'catch the error' }) },
  async start({ args, log }) {
    let blocks: Uint8Array[] = []
    const take = () => {
      for (;;) blocks.push(new Uint8Array(65536).fill(1))
    }
    if (!args.catch) take()
    try {
      take()
    } catch (error) {
      const count = blocks.length
      blocks = []
      log.info(`out of memory after ${count} blocks: ${error === null ? 'null' : (error as Error).name}`)
    }
    log.info(`still here: ${new Uint8Array(65536).fill(2)[65535]}`)
  },
})
