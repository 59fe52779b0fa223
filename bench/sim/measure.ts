/** Measuring on the simulated Xen: what a piece of work took by the clock, and what the guest asked of Xen for it. */
import type { SimulatedDomain } from '@xen-ts/drivers/sim'

export interface Host {
  /** Milliseconds, real ones. */
  now(): number
  /** Lets all promise jobs run, as SimulatedXen wants it. */
  readonly idle?: () => Promise<void>
  /** How much less is done than on V8. */
  readonly divisor: number
}

export interface Row {
  readonly title: string
  /** Per second, in what the title says. */
  readonly rate: number
  /** Of the guest, for each packet, write or round trip. Waiting for the next event is not counted. */
  readonly hypercalls: number
  readonly abiCalls: number
  /** From the guest and to it, for each MiB; for packets and round trips without much in them, undefined. */
  readonly eventsPerMiB?: number
}

/** Functions of the ABI behind which there is a hypercall each time. */
const hypercalls = new Set([
  'evtchnAllocUnbound',
  'evtchnBindInterdomain',
  'evtchnClose',
  'evtchnSend',
  'evtchnStatus',
  'grantMap',
  'grantUnmap',
])

/** Counts what `guest` calls from now on. */
export class Meter {
  readonly #host: Host
  #abiCalls = 0
  #hypercalls = 0
  #events = 0

  constructor(guest: SimulatedDomain, host: Host) {
    this.#host = host
    const abi = guest.abi as unknown as Record<string, (...args: unknown[]) => unknown>
    for (const [name, call] of Object.entries(abi)) {
      const costs = hypercalls.has(name) ? 1 : 0
      const sends = name === 'evtchnSend' ? 1 : 0
      abi[name] = (...args) => {
        this.#abiCalls++
        this.#hypercalls += costs
        this.#events += sends
        return call(...args)
      }
    }
    const dispatch = guest.dispatch.bind(guest)
    guest.dispatch = port => {
      this.#events++
      dispatch(port)
    }
  }

  /**
   * @param count packets, writes or round trips in `work`
   * @param unit how much of what the title says each of them is
   * @param bytes in each, if it is bytes that count
   */
  async row(title: string, count: number, unit: number, bytes: number | undefined, work: () => Promise<unknown>): Promise<Row> {
    this.#abiCalls = this.#hypercalls = this.#events = 0
    const start = this.#host.now()
    await work()
    const seconds = (this.#host.now() - start) / 1000
    return {
      title,
      rate: (count * unit) / seconds,
      hypercalls: this.#hypercalls / count,
      abiCalls: this.#abiCalls / count,
      eventsPerMiB: bytes === undefined ? undefined : this.#events / ((count * bytes) / 2 ** 20),
    }
  }
}
