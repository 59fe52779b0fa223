// Fills as many MiB as asked, checks them, and tells.
import { arg, unikernel } from 'xen-ts'

export default unikernel({
  name: 'memory',
  args: { mib: arg.number({ default: 1, doc: 'how many MiB to fill' }) },
  async start({ args, log }) {
    const blocks: Uint8Array[] = []
    for (let i = 0; i < args.mib; i++) blocks.push(new Uint8Array(1 << 20).fill(i + 1))
    const wrong = blocks.findIndex((block, i) => block[0] !== ((i + 1) & 255) || block[(1 << 20) - 1] !== ((i + 1) & 255))
    log.info(wrong < 0 ? `filled ${blocks.length} MiB` : `block ${wrong} changed`)
  },
})
