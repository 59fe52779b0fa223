/**
 * Keeps the stack at the addresses that dom0 gives, while netvms come and go. When the netvm of a running qube is changed, dom0 takes
 * the vif away, writes all keys of the network again and attaches a new vif; with netvm set to none it only takes the vif away, the
 * keys stay (qubes/vm/mix/net.py of qubes-core-admin). The keys say what the addresses are, the driver sees vifs by itself.
 */
import type { Xenstore } from '@xen-ts/drivers'
import type { QubesDB } from '@xen-ts/qubes'
import { describeBriefly, type Log, type Timer, type Timers } from '@xen-ts/runtime/machine'
import type { IpStack, StackConfig } from '@xen-ts/stack'
import { counterLine } from '../counters.ts'
import { beginVif, connectStack, type EarlyVif, type Vif, type XenStack } from '../domain.ts'

/** How long (ms) a program's start waits for its netvm: that is there before the qube starts, but may be busy. */
const BACKEND_TIMEOUT = 10_000
/** Keys are written one by one, without a mark after the last: milliseconds from the first to a look at all of them. */
const SETTLE = 100
/** Milliseconds that dom0 is kept waiting for the network, which it does for ten seconds, and between two looks. */
const UPLINK_TIMEOUT = 9_000
const UPLINK_INTERVAL = 100
const KEYS = [
  '/qubes-ip',
  '/qubes-netmask',
  '/qubes-gateway',
  '/qubes-primary-dns',
  '/qubes-secondary-dns',
  '/qubes-ip6',
  '/qubes-gateway6',
]

/** What QubesDB has for the stack; undefined without a netvm, and when it is nothing that can be used, which is logged. */
export function networkConfig(db: Pick<QubesDB, 'hasNetwork' | 'network'>, log: Log): StackConfig | undefined {
  try {
    if (!db.hasNetwork) return undefined
    const { address, netmask, gateway, dns, address6, gateway6 } = db.network
    const ipv6 = address6 === undefined ? undefined : { address: address6, prefix: 128, gateway: gateway6 }
    return { address, netmask, gateway, dns, ipv6 }
  } catch (error) {
    log.error(describeBriefly(error))
    return undefined
  }
}

export interface Following {
  readonly db: Pick<QubesDB, 'hasNetwork' | 'network' | 'watch'>
  readonly stack: Pick<IpStack, 'configure'>
  readonly timers: Timers
  readonly log: Log
}

/** Returns the function that ends it. What is malformed is logged and changes nothing. */
export function followNetwork({ db, stack, timers, log }: Following): () => void {
  let pending: Timer | undefined
  const look = (): void => {
    pending = undefined
    const config = networkConfig(db, log)
    if (config === undefined && db.hasNetwork) return // malformed
    try {
      stack.configure(config)
    } catch (error) {
      log.error(`the addresses in QubesDB are not used: ${describeBriefly(error)}`)
    }
  }
  look() // they may have changed while the stack was made
  const unwatch = KEYS.map(key =>
    db.watch(key, () => {
      pending ??= timers.set(SETTLE, look)
    }),
  )
  return () => {
    pending?.cancel()
    for (const end of unwatch) end()
  }
}

export interface Uplink {
  readonly db: Pick<QubesDB, 'hasNetwork' | 'get'>
  readonly stack: Pick<XenStack, 'address' | 'device'>
  readonly xenstore: Pick<Xenstore, 'tryRead'>
  readonly timers: Timers
}

/** Whether the network works as dom0 has it, or there is none: dom0 asks when it has changed it (qubes.WaitForNetworkUplink). */
export async function uplinkWorks({ db, stack, xenstore, timers }: Uplink): Promise<boolean> {
  for (let waited = 0; waited < UPLINK_TIMEOUT; waited += UPLINK_INTERVAL) {
    if (!db.hasNetwork || (stack.device.isUp && stack.address === db.get('/qubes-ip'))) return true
    if ((await xenstore.tryRead('device/vif/0/backend').catch(() => undefined)) === undefined) return true
    await new Promise<void>(resolve => {
      timers.set(UPLINK_INTERVAL, resolve)
    })
  }
  return false
}

/** The network of a qube: the stack with the addresses dom0 gave, or gives later. */
export class QubeNetwork {
  readonly #domain: Vif
  readonly #db: QubesDB
  #vif: EarlyVif | undefined
  #stack: XenStack | undefined

  constructor(domain: Vif, db: QubesDB) {
    this.#domain = domain
    this.#db = db
  }

  /** The vif connects while QubesDB answers: neither needs the other. */
  begin(signal: AbortSignal): void {
    this.#vif = beginVif(this.#domain, signal)
  }

  /** A qube without a netvm gets a stack too: it may get a netvm, and another after that. */
  async connect(signal: AbortSignal): Promise<XenStack> {
    const { machine } = this.#domain
    const db = this.#db
    const log = machine.log('network')
    const config = networkConfig(db, log)
    if (config === undefined)
      log.warn('there is no netvm: nothing can be reached before one is chosen (in dom0: qvm-prefs NAME netvm sys-firewall)')
    const stack = await connectStack(this.#domain, config, {
      signal,
      patience: config === undefined ? 0 : BACKEND_TIMEOUT,
      vif: this.#vif,
    })
    this.#stack = stack
    const unfollow = followNetwork({ db, stack, timers: machine.timers, log })
    const dispose = stack[Symbol.asyncDispose]
    return Object.assign(stack, {
      [Symbol.asyncDispose]() {
        unfollow()
        return dispose()
      },
    })
  }

  /** For dom0: a line for each counter that is not 0. undefined for a program without a stack. */
  counters(): string | undefined {
    const stack = this.#stack
    return stack && `${counterLine(this.#domain.machine.abi, stack).replaceAll(', ', '\n')}\n`
  }

  /** For dom0. A program without a stack has no network that could fail. */
  async works(): Promise<boolean> {
    const stack = this.#stack
    if (stack === undefined) return true
    const { machine, xenstore } = this.#domain
    return uplinkWorks({ db: this.#db, stack, xenstore, timers: machine.timers })
  }
}
