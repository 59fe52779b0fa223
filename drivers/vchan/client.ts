/** The side of a vchan that maps the pages of a server. */

import { type EventChannel, ForeignPages, Wakeup, type Watch, XenError } from '@xen-ts/drivers'
import { type ByteChannel, ChannelClosedError } from '@xen-ts/drivers/channel'
import type { Timer } from '@xen-ts/runtime/machine'
import { Endpoint } from './endpoint.ts'
import type { Vchans } from './index.ts'
import type { Keys } from './keys.ts'
import { eventChannelKey, readKeys } from './keys.ts'
import { areValid, Byte, Live, Notify, Order, ringBytes, ringPages, Word } from './layout.ts'
import { clientSide } from './link.ts'
import { RingReader, RingWriter } from './ring.ts'

/** What a server published does not work (any more). */
class StaleServerError extends Error {}

/** Whether it was for want of something in this domain: no other server will help. */
const isOurs = ({ code }: XenError): boolean => code === 'ENOMEM' || code === 'ENOSPC' || code === 'no_space'

/** Everything mapped from a server. */
class Mapped {
  readonly control: ForeignPages
  readonly reader: RingReader
  readonly writer: RingWriter
  readonly #all: ForeignPages[] = []

  constructor({ machine }: Vchans, domid: number, ringRef: number, name: string) {
    const map = (refs: readonly number[], readonly: boolean): ForeignPages => {
      const pages = new ForeignPages(machine, domid, refs, readonly, name)
      this.#all.push(pages)
      return pages
    }
    try {
      this.control = map([ringRef], false)
      const { bytes } = this.control
      const words = new Uint32Array(bytes.buffer)
      const halves = new Uint16Array(bytes.buffer)
      // The server can change its page at any time: orders and references are read once, checked, and never read again.
      const orders = { left: halves[Order.left], right: halves[Order.right] }
      if (!areValid(orders)) throw new StaleServerError(`ring orders ${orders.left} and ${orders.right} are not valid`)
      if (bytes[Byte.serverLive] !== Live.connected) throw new StaleServerError('the server has closed it')
      const leftPages = ringPages(orders.left)
      const refs = Array.from(words.subarray(Word.grants, Word.grants + leftPages + ringPages(orders.right)))
      const left = leftPages > 0 ? map(refs.slice(0, leftPages), false) : undefined
      const right = refs.length > leftPages ? map(refs.slice(leftPages), true) : undefined
      this.writer = new RingWriter(machine.abi, ringBytes(bytes, left?.bytes, orders.left), words, Word.leftProducer, Word.leftConsumer)
      this.reader = new RingReader(machine.abi, ringBytes(bytes, right?.bytes, orders.right), words, Word.rightProducer, Word.rightConsumer)
    } catch (error) {
      this.release()
      throw error
    }
  }

  /** The rings, then what `last` says on the control page, then that. */
  release(last?: () => void): void {
    for (const pages of this.#all) if (pages !== this.control) pages.release()
    last?.()
    this.control?.release()
  }
}

/** @throws StaleServerError, XenError */
function open(vchans: Vchans, domid: number, name: string, { ringRef, eventChannel }: Keys): Endpoint {
  const { machine, events, liveness, warnings } = vchans
  const mapped = new Mapped(vchans, domid, ringRef, name)
  let endpoint: Endpoint | undefined
  let channel: EventChannel
  try {
    channel = events.bindInterdomain(domid, eventChannel, name, () => endpoint?.wake())
  } catch (error) {
    mapped.release()
    throw error
  }
  const stopLooking = liveness.add(() => endpoint?.checkAlive())
  const control = mapped.control.bytes
  endpoint = new Endpoint(machine, {
    name,
    side: clientSide,
    control,
    reader: mapped.reader,
    writer: mapped.writer,
    channel,
    warnings,
    // A server that hears of the end takes its pages back. Linux keeps those that are mapped still for seconds, in a list that a
    // busy dom0 fills: so the rings go first, and the kick comes last.
    release: tell => {
      vchans.open.delete(endpoint!)
      stopLooking()
      mapped.release(() => {
        if (tell) control[Byte.clientLive] = Live.gone
      })
      if (tell) channel.notify()
      channel.close()
    },
  })
  vchans.open.add(endpoint)
  control[Byte.clientLive] = Live.connected
  machine.abi.or8(control, Byte.serverNotify, Notify.write)
  channel.notify()
  return endpoint
}

export interface ConnectOptions {
  readonly signal?: AbortSignal
  /** Milliseconds to wait for another server where a dead one was found; without it for ever, with a warning. */
  readonly deadServer?: number
}

export async function connect(
  vchans: Vchans,
  domid: number,
  port: number,
  { signal, deadServer }: ConnectOptions = {},
): Promise<ByteChannel> {
  signal?.throwIfAborted()
  const { machine, xenstore, liveness, warnings } = vchans
  const { suspension } = machine
  const name = `vchan ${domid}:${port}`
  const wakeup = new Wakeup()
  const stopLooking = liveness.add(wakeup.wake)
  const unsubscribe = suspension.subscribe('connections', { resume: wakeup.wake })
  signal?.addEventListener('abort', wakeup.wake)
  let world: number | undefined
  let own = 0
  let watch: Watch | undefined
  let refused: Keys | undefined
  let giveUp: Timer | undefined
  let isOver = false
  try {
    for (;;) {
      if (world !== suspension.world) {
        // The server's path names us, and each world gives us another number.
        world = suspension.world
        own = await xenstore.domid()
        if (own === domid)
          throw new Error(`${name}: a domain cannot connect to itself by vchan (qubes-issues 951). Call the function directly.`)
        watch?.close()
        watch = refused = undefined
        wakeup.wake()
      }
      await wakeup.wait()
      signal?.throwIfAborted()
      const keys = await readKeys(xenstore, domid, own, port)
      signal?.throwIfAborted()
      if (world !== suspension.world) continue
      // Keys that did not work once are waste of a server that died, until somebody writes them again.
      if (keys !== undefined && (keys.ringRef !== refused?.ringRef || keys.eventChannel !== refused.eventChannel)) {
        try {
          return open(vchans, domid, name, keys)
        } catch (error) {
          if (!(error instanceof StaleServerError) && !(error instanceof XenError && !isOurs(error))) throw error
          refused = keys
          if (deadServer === undefined)
            warnings.warn(`${name}: what the server published does not work: ${error.message} Waiting for a new server.`)
          else
            giveUp ??= machine.timers.set(deadServer, () => {
              isOver = true
              wakeup.wake()
            })
        }
      }
      if (isOver) throw new ChannelClosedError(`${name}: the server that published its keys is dead, and no other came. Connect again.`)
      if (!(await xenstore.domainExists(domid))) throw new ChannelClosedError(`${name}: domain ${domid} does not exist. Start it first.`)
      // Only who has to wait takes one of the few watches that the store gives a domain. Its first event comes at once, so nothing
      // is missed.
      // The next server may well be given the numbers that the dead one had: Xen and Linux hand out first what was freed last.
      watch ??= xenstore.watch(eventChannelKey(domid, own, port), () => {
        refused = undefined
        wakeup.wake()
      })
    }
  } finally {
    stopLooking()
    unsubscribe()
    watch?.close()
    giveUp?.cancel()
    signal?.removeEventListener('abort', wakeup.wake)
  }
}
