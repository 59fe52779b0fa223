/**
 * The xenstore client: the small database through which domains, toolstack and drivers find each other
 * (xen/docs/misc/xenstore.txt). Relative paths are relative to `/local/domain/<own domid>`.
 */
import type { XenMachine } from '@xen-ts/runtime/machine'
import { parseDecimal } from '../parse.ts'
import { Wakeup } from '../wakeup.ts'
import { XenstoreConnection } from './connection.ts'
import { isCode, XenstoreError } from './error.ts'
import { XenstoreView } from './view.ts'
import type { Watch } from './watches.ts'
import { Watches } from './watches.ts'
import { isValidPath, MessageType } from './wire.ts'

/** The daemon lets a guest have 10 transactions open. */
const MAX_TRANSACTIONS = 8
const MAX_ATTEMPTS = 100
/** Paths that wait to be looked at: whoever may write below a watched path decides how many there are. */
const MAX_CHANGES = 256
/** Milliseconds that a transaction has to end before the domain is suspended. */
const TRANSACTION_PATIENCE = 1000

export class Xenstore extends XenstoreView {
  readonly #connection: XenstoreConnection
  readonly #watches: Watches
  #openTransactions = 0
  readonly #waitingForTransaction: (() => void)[] = []
  #suspending = false
  #onNoTransaction: (() => void) | undefined
  readonly #unsubscribe: () => void
  #domid: Promise<number> | undefined
  #ownDomid: number | undefined

  constructor(machine: XenMachine) {
    const connection = new XenstoreConnection(machine)
    super(connection, undefined)
    this.#connection = connection
    this.#watches = new Watches(connection)
    // A kernel that ran here before us (a boot loader, kexec) may have left watches, whose events would be taken for ours, and
    // transactions. Nobody waits for the answer; a daemon that does not know the request refuses it.
    connection.ask(MessageType.resetWatches, undefined, '', [''], undefined, () => {})
    this.#unsubscribe = machine.suspension.subscribe('store', {
      suspend: () => this.#suspend(),
      resume: cancelled => this.#resume(cancelled),
    })
  }

  /** The number of this domain. Asked once, and again after a restore, which gives it another one. */
  domid(): Promise<number> {
    if (this.#domid !== undefined) return this.#domid
    const domid = (this.#domid = this.read('domid').then(value => {
      if (this.#domid === domid) this.#ownDomid = Number(value)
      return Number(value)
    }))
    domid.catch(() => {
      if (this.#domid === domid) this.#domid = undefined
    })
    return domid
  }

  /** The same, if it is known. */
  get ownDomid(): number | undefined {
    return this.#ownDomid
  }

  /**
   * Calls `onChange` with the path that changed: once soon after the call, then whenever `path` or something below it is written,
   * created or removed. Several changes may arrive as one call. Special paths: `@introduceDomain`, `@releaseDomain`;
   * a guest is told of those only when dom0 allows it.
   * Any number of watches on the same path cost one of the 128 the store allows this domain.
   */
  watch(path: string, onChange: (path: string) => void): Watch {
    if (!isValidPath(path)) throw new XenstoreError('watch', path.slice(0, 100), 'EINVAL')
    return this.#watches.add(path, onChange)
  }

  /**
   * The same as a loop: `for await (const path of xenstore.changes('device/vif', signal))`. Changes during the loop's body are not lost;
   * when there are more than 256 of them, `path` itself stands for the others: look at all that is below it.
   */
  async *changes(path: string, signal?: AbortSignal): AsyncGenerator<string, void> {
    const changed = new Set<string>()
    const wakeup = new Wakeup()
    const watch = this.watch(path, below => {
      changed.add(changed.size < MAX_CHANGES ? below : path)
      wakeup.wake()
    })
    signal?.addEventListener('abort', wakeup.wake)
    try {
      while (signal?.aborted !== true) {
        const [next] = changed
        if (next === undefined) {
          await wakeup.wait()
        } else {
          changed.delete(next)
          yield next
        }
      }
    } finally {
      signal?.removeEventListener('abort', wakeup.wake)
      watch.close()
    }
  }

  /**
   * Watches a key until its value (undefined: there is no such key) satisfies `test`, and resolves with it.
   * @throws what `signal` was aborted with, or XenstoreError when the key may not be read
   */
  async until(path: string, test: (value: string | undefined) => boolean, signal?: AbortSignal): Promise<string | undefined> {
    signal?.throwIfAborted()
    const wakeup = new Wakeup()
    const watch = this.watch(path, wakeup.wake)
    signal?.addEventListener('abort', wakeup.wake)
    try {
      for (;;) {
        await wakeup.wait()
        signal?.throwIfAborted()
        const value = await this.tryRead(path)
        if (test(value)) return value
      }
    } finally {
      signal?.removeEventListener('abort', wakeup.wake)
      watch.close()
    }
  }

  /**
   * Runs `body` so that all it does happens at once, or not at all when it throws. It may run several times: when somebody
   * else changed what it had read or written, the store says EAGAIN, and it begins again.
   */
  async transaction<T>(body: (view: XenstoreView) => Promise<T>): Promise<T> {
    await this.#transactionSlot()
    try {
      for (let attempt = 1; ; attempt++) {
        const result = await this.#attempt(body)
        if (result !== COLLIDED) return result as T
        if (attempt === MAX_ATTEMPTS) throw new XenstoreError('transaction', '', 'EAGAIN')
        // The others must get through some time: wait a little longer after each collision.
        await new Promise<void>(resolve => {
          this.#connection.machine.timers.set(Math.min(attempt - 1, 50), resolve)
        })
      }
    } finally {
      this.#openTransactions--
      if (this.#openTransactions === 0) this.#onNoTransaction?.()
      this.#waitingForTransaction.shift()?.()
    }
  }

  /** Whether a domain exists; true also when the store does not tell. @throws XenstoreError EIO when the connection is broken */
  domainExists(domid: number): Promise<boolean> {
    return new Promise((resolve, reject) =>
      this.askDomain(domid, exists => {
        if (exists === undefined) reject(this.#connection.error(MessageType.isDomainIntroduced, `domain ${domid}`, 'EIO'))
        else resolve(exists)
      }),
    )
  }

  /** The same without a promise; undefined when the connection is broken. */
  askDomain(domid: number, answer: (exists: boolean | undefined) => void): void {
    this.#connection.ask(
      MessageType.isDomainIntroduced,
      undefined,
      '',
      [String(domid)],
      undefined,
      (code, bytes, offset, length) => answer(code === 'EIO' ? undefined : code !== undefined || length === 0 || bytes[offset] !== 0x46), // 'F'
    )
  }

  /** One line a watch, for debugging. */
  list(): string[] {
    return [`${this.#connection.inFlight} requests in flight, ${this.#openTransactions} transactions`, ...this.#watches.list()]
  }

  /** Stops listening and rejects what is in flight. */
  close(): void {
    this.#unsubscribe()
    this.#connection.close()
  }

  async #attempt<T>(body: (view: XenstoreView) => Promise<T>): Promise<T | typeof COLLIDED> {
    const reply = await this.#connection.request(MessageType.transactionStart, undefined, 'transaction', [''])
    const id = parseDecimal(this.#connection.machine.abi.latin1Decode(reply, 0, reply.length), 0xffffffff)
    if (id === undefined || id === 0) throw new XenstoreError('transaction', '', 'EIO')
    const transaction = { id, world: this.#connection.machine.suspension.world }
    const end = (verdict: 'T' | 'F'): Promise<Uint8Array> =>
      this.#connection.request(MessageType.transactionEnd, transaction, 'transaction', [verdict])
    let ending = false
    try {
      const result = await body(new XenstoreView(this.#connection, transaction))
      ending = true
      await end('T')
      return result
    } catch (error) {
      const collided = isCode(error, 'EAGAIN')
      // What went wrong in the body is what the caller must learn, whatever becomes of the abort.
      // One that the store refuses, for want of memory, is tried once more: it has few transactions for a domain.
      if (!ending || !collided)
        await end('F')
          .catch(() => end('F'))
          .catch(() => {})
      if (collided) return COLLIDED
      throw error
    }
  }

  async #transactionSlot(): Promise<void> {
    while (this.#suspending || this.#openTransactions >= MAX_TRANSACTIONS)
      await new Promise<void>(resolve => this.#waitingForTransaction.push(resolve))
    this.#openTransactions++
  }

  /**
   * Nothing may be under way when the domain is suspended, for in a new world nobody answers. Transactions may end first; one that takes
   * longer waits for somebody else, and begins again should its connection be gone.
   */
  async #suspend(): Promise<void> {
    this.#suspending = true
    if (this.#openTransactions > 0) {
      await new Promise<void>(resolve => {
        const timer = this.#connection.machine.timers.set(TRANSACTION_PATIENCE, resolve)
        this.#onNoTransaction = () => {
          timer.cancel()
          resolve()
        }
      })
      this.#onNoTransaction = undefined
    }
    if (this.#suspending) await this.#connection.suspend() // unless it was called off meanwhile
  }

  #resume(cancelled: boolean): void {
    this.#suspending = false
    if (!cancelled) this.#domid = this.#ownDomid = undefined
    this.#connection.resume(cancelled)
    for (const wake of this.#waitingForTransaction.splice(0)) wake()
  }
}

const COLLIDED = Symbol('the transaction collided with another')
