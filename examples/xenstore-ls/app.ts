/**
 * Lists the domain's own part of xenstore, or what is below the argument `path`, as xenstore-ls does in dom0:
 *
 *     npx xen-ts build examples/xenstore-ls
 *     npx xen-ts run xenstore-ls.xen
 *     npx xen-ts run xenstore-ls.xen -- path=device
 */
import { xenstore } from '@xen-ts/drivers'
import { arg, unikernel } from 'xen-ts'

export default unikernel({
  name: 'xenstore-ls',
  args: { path: arg.string({ default: '', doc: 'where to begin, /local/domain/3 for instance; by default at the own directory' }) },
  devices: { xenstore: xenstore() },
  async start({ xenstore, args, log }) {
    let keys = 0
    const list = async (path: string, depth: number): Promise<void> => {
      for (const name of await xenstore.directory(path)) {
        const child = `${path === '/' ? '' : path}/${name}`
        // Between the listing and now the key may have gone.
        const value = await xenstore.tryRead(child)
        if (value === undefined) continue
        keys++
        log.info(`${'  '.repeat(depth)}${name} = ${JSON.stringify(value)}`)
        await list(child, depth + 1)
      }
    }
    const path = args.path === '' ? `/local/domain/${await xenstore.read('domid')}` : args.path
    log.info(path)
    await list(path, 1)
    log.info(`${keys} keys`)
  },
})
