/**
 * How the frontend of a split device lives (xen/include/public/io/xenbus.h): it looks at both halves' directories in xenstore after every
 * change of either, and connects to backends, one after the other, as they come and go. What a kind of device adds (its rings, its keys)
 * is its `FrontendDriver`.
 */
import type { Timer, XenMachine } from '@xen-ts/runtime/machine'
import { XenError } from '../errno.ts'
import type { GrantTable } from '../grant-table.ts'
import { Wakeup } from '../wakeup.ts'
import { XenstoreError } from '../xenstore/error.ts'
import type { Watch } from '../xenstore/watches.ts'
import type { Xenstore } from '../xenstore/xenstore.ts'
import type { FrontendDriver, FrontendLink, Keys } from './driver.ts'
import { type Backend, readBackend, readState, tellBackend, tryRead, XenbusState } from './handshake.ts'

/** Of our directory: who the backend is, and which state we are in. */
const KEYS = ['backend', 'backend-id', 'state']
/** Milliseconds that a backend has to let go when we close. */
const CLOSE_TIMEOUT = 500
/** Milliseconds between two connections, but for a vif that the toolstack has made anew, and between attempts. */
const PENALTY = 1000

/** Of the store, which serves us otherwise. */
const isRefusal = (error: unknown): error is XenstoreError => error instanceof XenstoreError && error.code !== 'EIO'

const stateOf = (xenstore: Xenstore, backend: Backend | undefined): number | Promise<number> =>
  backend === undefined ? XenbusState.unknown : readState(xenstore, backend.path)

/** What a frontend stands on. */
export interface FrontendParts {
  readonly machine: XenMachine
  readonly grants: GrantTable
  readonly xenstore: Xenstore
}

export interface FrontendOptions {
  /** Nobody waits for the first backend: it may come at any time, or never. */
  readonly later?: boolean
  /** What ends the wait for the first backend when it aborts. */
  readonly signal?: AbortSignal
  /** Nobody can use the device before: it does not begin to work, though the backend has. */
  readonly ready?: Promise<void>
  /** Whether the driver has read what is in the directory now. */
  readonly isNew: boolean
  /** The backend that was there when it did. */
  readonly backend?: Backend
}

/** What a connection begins with, asked for before it is known whether there will be one. */
interface Opening<Offer> {
  readonly backend: Backend
  readonly offer: Promise<Offer>
  /** What the backend is to be told; undefined: nothing. */
  readonly keys: PromiseWithResolvers<Keys | undefined>
  readonly telling: Promise<boolean>
}

export class Frontend<L extends FrontendLink, Offer = unknown> {
  /** The connection to the present backend. */
  link: L | undefined
  /** Resolves when the first backend is connected. */
  readonly connected: Promise<void>
  readonly #driver: FrontendDriver<L, Offer>
  readonly #parts: FrontendParts
  readonly #options: FrontendOptions
  readonly #frontend: string
  readonly #wakeup = new Wakeup()
  readonly #ended: Promise<void>
  /** The connection before the present one. */
  #last: L | undefined
  /** To look again though nothing has changed. */
  #again: Timer | undefined
  #backendWatch: Watch | undefined
  /** Who was there at the last look. */
  #backend: Backend | undefined
  #closing = false
  /** Nothing was looked at so far. */
  #isFirst = true
  /** A backend was there before; what is in its directory is not what an earlier kernel left. */
  #settled = false
  /** Or nobody waits for that: errors are ours from now on. */
  #wasConnected: boolean
  /** What is in our directory is not what was read: the device is, or will be, another one. */
  #isNew: boolean
  #isReady: boolean
  /** The connection whose backend is connected, when nobody could use it then. */
  #waits: L | undefined
  /** A backend that begins again by itself has to wait until then. */
  #notBefore = 0
  /** Why there is no connection, as it was told last. */
  #complaint: string | undefined
  #resolveConnected = (): void => {}

  /** @param frontend our directory, such as `device/vif/0` */
  constructor(driver: FrontendDriver<L, Offer>, parts: FrontendParts, frontend: string, options: FrontendOptions) {
    this.#driver = driver
    this.#parts = parts
    this.#options = options
    this.#frontend = frontend
    this.#isNew = options.isNew
    this.#backend = options.backend
    this.#wasConnected = options.later === true
    this.#isReady = options.ready === undefined
    void options.ready?.then(() => this.#getReady())
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.connected = promise
    this.#resolveConnected = resolve
    // Before the first connection an error is the caller's.
    this.#ended = this.#live().catch((error: Error) => {
      if (this.#wasConnected) parts.machine.log(driver.source).error(`${driver.name}: ${error.message} The device is dead.`)
      reject(error)
    })
    promise.catch(() => {}) // with `later`, nobody waits for it
  }

  /** Resolves when all is given back. */
  close(): Promise<void> {
    this.#closing = true
    this.#wakeup.wake()
    return this.#ended
  }

  /**
   * Looks at both directories after every change of either, and does what is next. What was missed in between does not matter. (Of ours at those
   * keys only that it goes by: of the others, which it writes itself, each would be an event for nothing.)
   */
  async #live(): Promise<void> {
    const watches = KEYS.map(key => this.#parts.xenstore.watch(`${this.#frontend}/${key}`, this.#wakeup.wake))
    this.#wakeup.wake() // the store does one after the other: what is read behind the watch's request is not older than the watch
    const unsubscribe = this.#parts.machine.suspension.subscribe('connections', {
      resume: cancelled => {
        if (!cancelled) this.#loseLink()
      },
    })
    try {
      while (!this.#closing) {
        await this.#wakeup.wait()
        if (!this.#closing) await this.#lookOrComplain()
      }
      await this.#shutDown()
    } finally {
      unsubscribe()
      for (const watch of watches) watch.close()
      this.#backendWatch?.close()
      this.#again?.cancel()
      this.#closeLink()
    }
    if (!this.#wasConnected) this.#options.signal?.throwIfAborted()
  }

  /** Want of memory, grants or room in the store at a later connection must not end the device: the backend before may still have them. */
  async #lookOrComplain(): Promise<void> {
    try {
      await this.#look()
    } catch (error) {
      if (!this.#wasConnected || !(error instanceof XenError || isRefusal(error))) throw error
      // What the backend was to be told did not reach it: both begin again.
      if (!(error instanceof XenError)) {
        this.#closeLink()
        this.#settled = false
      }
      this.#lookAgain(PENALTY, error.message)
    }
  }

  /** @param complaint what is in the way, told once */
  #lookAgain(delay: number, complaint?: string): void {
    const { timers, log } = this.#parts.machine
    this.#again?.cancel()
    this.#again = timers.set(delay, this.#wakeup.wake)
    if (complaint === undefined || complaint === this.#complaint) return
    this.#complaint = complaint
    log(this.#driver.source).warn(complaint)
  }

  async #look(): Promise<void> {
    const { xenstore } = this.#parts
    // Mostly it is the same one: then all is known after one round trip.
    const expected = this.#backend
    this.#watchBackend(expected)
    const looks = Promise.all([readBackend(xenstore, this.#frontend), readState(xenstore, this.#frontend), stateOf(xenstore, expected)])
    // At the first look it mostly waits for us: what comes next is asked for at the same time.
    const early = this.#isFirst && expected !== undefined ? this.#open(expected) : undefined
    this.#isFirst = false
    try {
      await this.#decide(expected, await looks, early)
    } finally {
      early?.keys.resolve(undefined)
    }
  }

  async #decide(
    expected: Backend | undefined,
    looks: [Backend | undefined, number, number],
    early: Opening<Offer> | undefined,
  ): Promise<void> {
    const { xenstore, machine } = this.#parts
    let [backend, own, state] = looks
    this.#backend = backend
    if (backend?.path !== expected?.path) {
      this.#watchBackend(backend)
      ;[own, state] = await Promise.all([readState(xenstore, this.#frontend), stateOf(xenstore, backend)])
    }
    if (this.#closing) return
    const { link } = this
    if (link === undefined) {
      if (backend !== undefined && state === XenbusState.initWait) await this.#connectInTime(backend, own, early)
      else if (!this.#settled && backend !== undefined && state >= XenbusState.connected) await this.#reset(backend)
      return
    }
    const lost = link.broken
      ? 'it broke the rules'
      : backend === undefined || state === XenbusState.unknown
        ? 'its directory is gone'
        : backend.path !== link.backend.path || own !== XenbusState.connected
          ? 'another one has taken its place'
          : state === XenbusState.closing || state === XenbusState.closed
            ? 'it is closing'
            : undefined
    if (lost !== undefined) {
      machine.log(this.#driver.source).info(`${this.#driver.name}: disconnected from domain ${link.backend.domid}: ${lost}`)
      // The toolstack has made another device of that name already, which nobody has told anything: it would be dead before it lived.
      if (own === XenbusState.initialising && !(await this.#isOurs(link))) {
        await this.#disconnect([])
        this.#wakeup.wake()
      } else await this.#disconnect()
    } else if (!link.up && state === XenbusState.connected) {
      this.#goUp(link)
    }
  }

  /** Whether what we have told of a connection still stands in our directory: then it is the same device, whatever else is there. */
  async #isOurs({ keys }: L): Promise<boolean> {
    const [first] = keys
    return first !== undefined && (await tryRead(this.#parts.xenstore, `${this.#frontend}/${first[0]}`)) === String(first[1])
  }

  #getReady(): void {
    this.#isReady = true
    const { link } = this
    if (link !== undefined && link === this.#waits && !link.broken && !this.#closing) this.#goUp(link)
  }

  #goUp(link: L): void {
    if (!this.#isReady) {
      this.#waits = link
      return
    }
    const driver = this.#driver
    this.#parts.machine.log(driver.source).info(`${driver.name}: ${driver.connected(link)}`)
    link.start()
    this.#wasConnected = true
    this.#resolveConnected()
    driver.up()
  }

  #watchBackend(backend: Backend | undefined): void {
    const path = backend === undefined ? undefined : `${backend.path}/state`
    if (this.#backendWatch?.path === path) return
    this.#backendWatch?.close()
    this.#backendWatch = path === undefined ? undefined : this.#parts.xenstore.watch(path, this.#wakeup.wake)
  }

  /**
   * A device that the toolstack has made, in state Initialising, is connected at once. A backend that begins again by itself could do so as
   * often as it likes, and each time write to the log, and keep the pages of the connection before: it has to wait, and to let go of them.
   */
  async #connectInTime(backend: Backend, own: number, early: Opening<Offer> | undefined): Promise<void> {
    const delay = own === XenbusState.initialising ? 0 : this.#notBefore - this.#parts.machine.timers.now()
    if (delay > 0) return this.#lookAgain(delay)
    if (this.#last?.backend.domid === backend.domid) {
      this.#parts.grants.retry()
      if (this.#last.isHeld)
        return this.#lookAgain(
          PENALTY,
          `${this.#driver.name}: domain ${backend.domid} still has pages of the connection that ended: no other one before it lets go of them`,
        )
    }
    await this.#connect(early?.backend.path === backend.path ? early : this.#open(backend))
  }

  /** Asks for what the backend offers, and for a transaction to answer it in. */
  #open(backend: Backend): Opening<Offer> {
    const keys = Promise.withResolvers<Keys | undefined>()
    const opening = {
      backend,
      offer: this.#driver.read(backend),
      keys,
      telling: tellBackend(this.#parts.xenstore, this.#frontend, backend.path, keys.promise),
    }
    for (const each of [opening.offer, keys.promise, opening.telling]) each.catch(() => {}) // perhaps nobody needs them
    return opening
  }

  /** Makes the rings and tells the backend where they are. */
  async #connect({ backend, offer, keys, telling }: Opening<Offer>): Promise<void> {
    if (this.#isNew) await this.#driver.renew()
    const connecting = offer.then(offer => this.#take(this.#driver.connect(backend, offer, this.#wakeup.wake)))
    connecting.then(keys.resolve, keys.reject)
    // When the backend has gone meanwhile, the next look will tell.
    for (const result of await Promise.allSettled([connecting, telling])) if (result.status === 'rejected') throw result.reason
  }

  /** Gives the keys that tell of it, unless we are closing. */
  #take(link: L): Keys | undefined {
    if (this.#closing) {
      link.close()
      return undefined
    }
    this.link = link
    this.#settled = true
    this.#complaint = undefined
    this.#notBefore = this.#parts.machine.timers.now() + PENALTY
    return [...link.keys, ['state', XenbusState.connected]]
  }

  /** What stands there is of an earlier life (a kernel before us): let the backend begin again. */
  async #reset({ path }: Backend): Promise<void> {
    this.#settled = true
    for (const state of [XenbusState.closing, XenbusState.closed, XenbusState.initialising]) await this.#switch(path, state)
  }

  #switch(backend: string, state: number): Promise<boolean> {
    return tellBackend(this.#parts.xenstore, this.#frontend, backend, [['state', state]])
  }

  /** In a new world the backend is another one, which waits for us; the rings and what was in them are lost. */
  #loseLink(): void {
    this.#closeLink()
    this.#isNew = true
    this.#notBefore = 0
    this.#wakeup.wake()
  }

  #closeLink(): void {
    if (this.link === undefined) return
    this.link.close()
    this.#last = this.link
    this.link = undefined
  }

  /** @param states what the backend is still to be told, one after the other */
  async #disconnect(states: readonly number[] = [XenbusState.closing, XenbusState.closed]): Promise<void> {
    if (this.link === undefined) return
    const { path } = this.link.backend
    this.#closeLink()
    this.#isNew = true
    for (const state of states) {
      if (await this.#switch(path, state)) continue
      this.#wakeup.wake() // nothing that we wrote will make us look at who is there now
      return
    }
  }

  /** Our own wish to end: the backend lets go of the rings first, if it does so soon. */
  async #shutDown(): Promise<void> {
    const { xenstore, machine } = this.#parts
    const backend = this.link?.backend
    if (backend === undefined) return
    if (await this.#switch(backend.path, XenbusState.closing)) {
      let late = false
      const timer = machine.timers.set(CLOSE_TIMEOUT, () => {
        late = true
        this.#wakeup.wake()
      })
      for (;;) {
        const state = await readState(xenstore, backend.path)
        if (late || (state !== XenbusState.connected && state !== XenbusState.initWait)) break
        await this.#wakeup.wait()
      }
      timer.cancel()
    }
    await this.#disconnect([XenbusState.closed])
  }
}
