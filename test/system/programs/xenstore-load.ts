// Writes as many keys as the store lets a domain have, sets 100 watches, and sees each change; tells what it counted.
import { xenstore } from '@xen-ts/drivers'
import { unikernel } from 'xen-ts'

const WATCHES = 100

export default unikernel({
  name: 'xenstore-load',
  devices: { xenstore: xenstore() },
  async start({ xenstore, log }) {
    // In folders, because the names of one may not have more than 2048 bytes. A hundred requests in flight: more than the ring holds.
    const written: string[] = []
    const errors = new Set<string>()
    for (let folder = 0; errors.size === 0; folder++) {
      const paths = Array.from({ length: 100 }, (_, i) => `data/load/${folder}/${i}`)
      await Promise.all(
        paths.map(path =>
          xenstore.write(path, `value of ${path}`).then(
            () => written.push(path),
            error => errors.add(error.code),
          ),
        ),
      )
    }
    log.info(`written ${written.length}, then ${[...errors]}`)
    const listed = await xenstore.directory('data/load/3')
    log.info(`listed ${listed.length}`)
    const values = await Promise.all(written.map(path => xenstore.read(path)))
    log.info(`wrong ${values.filter((value, i) => value !== `value of ${written[i]}`).length}`)

    const seen = new Set<string>()
    let changed = () => {}
    const watches = written.slice(0, WATCHES).map(path =>
      xenstore.watch(path, where => {
        seen.add(where)
        changed()
      }),
    )
    const until = async (test: () => boolean): Promise<void> => {
      while (!test())
        await new Promise<void>(resolve => {
          changed = resolve
        })
    }
    // The store tells of each watch once when it is set.
    await until(() => seen.size === WATCHES)
    seen.clear()
    log.info(`watching ${watches.length}`)
    await until(() => seen.size === WATCHES)
    log.info(`seen ${seen.size} changes of others`)
    for (const watch of watches) watch.close()
    seen.clear()
    await Promise.all(written.map(path => xenstore.write(path, 'again')))
    log.info(`after the watches were closed: ${seen.size} changes`)
    await xenstore.remove('data/load')
    log.info(`removed: ${(await xenstore.tryRead(written[0])) === undefined}`)
  },
})
