/** The side of a vchan that owns the pages: shares them, publishes where they are, and waits for its one client. */

import { type EventChannel, SharedPages, Wakeup } from '@xen-ts/drivers'
import { type ByteChannel, ChannelClosedError } from '@xen-ts/drivers/channel'
import { Endpoint } from './endpoint.ts'
import type { Vchans } from './index.ts'
import type { Keys } from './keys.ts'
import { publishKeys, withdrawKeys } from './keys.ts'
import { Byte, chooseOrders, Live, Notify, Order, ringBytes, ringPages, Word } from './layout.ts'
import { serverSide } from './link.ts'
import { RingReader, RingWriter } from './ring.ts'

export interface ServeOptions {
  /** Least size in bytes of the ring we read from, and of the one we write to. */
  readonly readSize: number
  readonly writeSize: number
  readonly signal?: AbortSignal
}

/** Everything a server shares with its client. */
class Shared {
  readonly control: SharedPages
  readonly reader: RingReader
  readonly writer: RingWriter
  readonly #all: SharedPages[] = []

  constructor({ machine, grants }: Vchans, domid: number, name: string, readSize: number, writeSize: number) {
    const orders = chooseOrders(readSize, writeSize)
    // RIGHT could be granted read-only; libxenvchan grants it for writing, and a client that maps it so is known to exist.
    const share = (count: number): SharedPages => {
      const pages = new SharedPages(machine, grants, count, domid, false, name)
      this.#all.push(pages)
      return pages
    }
    try {
      this.control = share(1)
      const left = ringPages(orders.left) > 0 ? share(ringPages(orders.left)) : undefined
      const right = ringPages(orders.right) > 0 ? share(ringPages(orders.right)) : undefined
      const { bytes } = this.control
      const words = new Uint32Array(bytes.buffer)
      new Uint16Array(bytes.buffer).set([orders.left, orders.right], Order.left)
      words.set([...(left?.refs ?? []), ...(right?.refs ?? [])], Word.grants)
      bytes[Byte.clientNotify] = Notify.write // kick us at the first sign of life
      bytes[Byte.serverLive] = Live.connected
      bytes[Byte.clientLive] = Live.notYet
      this.reader = new RingReader(machine.abi, ringBytes(bytes, left?.bytes, orders.left), words, Word.leftProducer, Word.leftConsumer)
      this.writer = new RingWriter(machine.abi, ringBytes(bytes, right?.bytes, orders.right), words, Word.rightProducer, Word.rightConsumer)
    } catch (error) {
      this.release()
      throw error
    }
  }

  release(): void {
    for (const pages of this.#all) pages.release()
  }
}

export async function serve(vchans: Vchans, domid: number, port: number, options: ServeOptions): Promise<ByteChannel> {
  for (;;) {
    options.signal?.throwIfAborted()
    const channel = await serveInThisWorld(vchans, domid, port, options)
    if (channel !== undefined) return channel
  }
}

/** The same; undefined when the domain was resumed in a new world before a client had come: what was published means nothing there. */
async function serveInThisWorld(
  vchans: Vchans,
  domid: number,
  port: number,
  { readSize, writeSize, signal }: ServeOptions,
): Promise<ByteChannel | undefined> {
  const { machine, events, xenstore, liveness } = vchans
  const { suspension } = machine
  const { world } = suspension
  const name = `vchan ${domid}:${port}`
  const shared = new Shared(vchans, domid, name, readSize, writeSize)
  let endpoint: Endpoint | undefined
  const wakeup = new Wakeup()
  let channel: EventChannel
  try {
    channel = events.allocUnbound(domid, name, () => (endpoint === undefined ? wakeup.wake() : endpoint.wake()))
  } catch (error) {
    shared.release()
    throw error
  }
  const keys: Keys = { ringRef: shared.control.refs[0], eventChannel: channel.port }
  const release = (): void => {
    channel.close()
    shared.release()
  }
  const tellGone = (): void => {
    shared.control.bytes[Byte.serverLive] = Live.gone
    machine.abi.fence()
    channel.notify() // whether it asked or not: this is the last thing it hears
  }
  // Not for each event: whoever may kick us would have us ask the store as often as it likes.
  let isUnsure = true
  const looking = {
    check() {
      isUnsure = true
      wakeup.wake()
    },
  }
  liveness.add(looking)
  const unsubscribe = suspension.subscribe('connections', { resume: wakeup.wake })
  signal?.addEventListener('abort', wakeup.wake)
  try {
    await publishKeys(vchans, domid, port, keys)
    for (;;) {
      signal?.throwIfAborted()
      if (world !== suspension.world || shared.control.bytes[Byte.clientLive] !== Live.notYet) break
      const look = isUnsure
      isUnsure = false
      if (look && !(await xenstore.domainExists(domid)))
        throw new ChannelClosedError(`${name}: domain ${domid} has gone before it connected. Serve again when it is back.`)
      await wakeup.wait()
      machine.abi.fence()
    }
  } catch (error) {
    liveness.delete(looking)
    // A client that has seen the keys already must not take this for a server.
    tellGone()
    // Keys never point to a port or page that means something else already.
    await withdrawKeys(vchans, domid, port, keys)
    release()
    throw error
  } finally {
    unsubscribe()
    signal?.removeEventListener('abort', wakeup.wake)
  }
  if (world !== suspension.world) {
    liveness.delete(looking)
    // Perhaps they were published in the new world still.
    await withdrawKeys(vchans, domid, port, keys)
    release()
    return undefined
  }
  // One client in a life: whoever comes next must not find these keys, which is why nobody is told before they are gone.
  const withdrawn = withdrawKeys(vchans, domid, port, keys)
  endpoint = new Endpoint(machine, {
    name,
    side: serverSide,
    control: shared.control.bytes,
    reader: shared.reader,
    writer: shared.writer,
    channel,
    warnings: vchans.warnings,
    release: tell => {
      vchans.open.delete(endpoint!)
      liveness.delete(endpoint!)
      if (tell) tellGone()
      void withdrawn.then(release)
    },
  })
  vchans.open.add(endpoint)
  liveness.add(endpoint)
  liveness.delete(looking)
  endpoint.wake()
  await withdrawn
  if (signal?.aborted) {
    endpoint.close()
    throw signal.reason
  }
  return endpoint
}
