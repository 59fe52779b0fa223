/**
 * Watches, shared: the store allows a guest 128 of them, and a driver for each of several hundred channels wants to know the
 * same things. One watch in the store serves all who watch the same path.
 */
import type { Log, Timer } from '@xen-ts/runtime/machine'
import { dispose } from '../dispose.ts'
import type { XenstoreConnection } from './connection.ts'
import { MessageType } from './wire.ts'

/** A watch that was asked for; `close` ends it. After that its callback is never called again. */
export interface Watch extends Disposable {
  readonly path: string
  close(): void
}

/** When the store has no watch left for us, we look by ourselves this often. */
const POLL_MS = 1000

interface SharedWatch {
  readonly path: string
  readonly token: string
  readonly callbacks: Set<(path: string) => void>
  /** Whether the store's first event has come. */
  fired: boolean
  /** Set when the store refused the watch and we poll. */
  polling: Timer | undefined
}

export class Watches {
  readonly #connection: XenstoreConnection
  readonly #log: Log
  readonly #byPath = new Map<string, SharedWatch>()
  readonly #byToken = new Map<string, SharedWatch>()
  #nextToken = 1

  constructor(connection: XenstoreConnection) {
    this.#connection = connection
    this.#log = connection.machine.log('xenstore')
    connection.onWatchEvent = (path, token) => {
      // An event of a watch that was just closed may still be on its way: no watch, nothing to do.
      const watch = this.#byToken.get(token)
      if (watch !== undefined) this.#deliver(watch, path)
    }
    // Whoever waits for a change looks once more, gets EIO, and can say so.
    connection.onBroken = () => {
      for (const shared of [...this.#byPath.values()]) {
        shared.polling?.cancel()
        this.#deliver(shared, shared.path)
      }
    }
    // The daemon of a new world has none of them. Each fires once, so that whoever watches looks at what is there now.
    connection.onReconnected = () => {
      for (const shared of this.#byPath.values()) {
        shared.polling?.cancel()
        shared.polling = undefined
        this.#ask(shared)
      }
    }
  }

  add(path: string, onChange: (path: string) => void): Watch {
    const callback = (path: string): void => onChange(path) // one of its own, the same function may watch twice
    let shared = this.#byPath.get(path)
    if (shared === undefined) {
      shared = this.#register(path)
    } else if (shared.fired) {
      // The store's first event went to those who came before; this one gets its own, and like theirs never during the call.
      this.#connection.machine.timers.set(0, () => {
        if (shared?.callbacks.has(callback)) callback(path)
      })
    }
    shared.callbacks.add(callback)
    const close = (): void => this.#remove(shared, callback)
    return { path, close, [dispose]: close }
  }

  list(): string[] {
    return [...this.#byPath.values()].map(
      ({ path, callbacks, polling }) => `watch ${path}: ${callbacks.size}${polling === undefined ? '' : ', polling'}`,
    )
  }

  #register(path: string): SharedWatch {
    const shared: SharedWatch = { path, token: `w${this.#nextToken++}`, callbacks: new Set(), fired: false, polling: undefined }
    this.#byPath.set(path, shared)
    this.#byToken.set(shared.token, shared)
    this.#ask(shared)
    return shared
  }

  #ask(shared: SharedWatch): void {
    const { path } = shared
    this.#connection.ask(MessageType.watch, undefined, path, [path, shared.token], undefined, code => {
      if (code === undefined || this.#byToken.get(shared.token) !== shared) return
      if (code === 'EEXIST') return // asked for while the domain was being suspended, and again after the resume
      if (code === 'EIO') return this.#deliver(shared, path)
      const { message } = this.#connection.error(MessageType.watch, path, code)
      // Special paths have nothing to look at. Without leave of dom0 their events do not come anyway (XSA-115).
      if (path.startsWith('@')) return this.#log.debug(message)
      // One warning, not one for each of several hundred.
      const others = [...this.#byPath.values()].some(({ polling }) => polling !== undefined)
      this.#log[others ? 'debug' : 'warn'](`${message} Looking once a second instead.`)
      this.#poll(shared)
    })
  }

  #remove(shared: SharedWatch, callback: (path: string) => void): void {
    if (!shared.callbacks.delete(callback) || shared.callbacks.size > 0) return
    this.#byPath.delete(shared.path)
    this.#byToken.delete(shared.token)
    if (shared.polling !== undefined) return shared.polling.cancel()
    // Requests are answered in order, so this cannot overtake the watch. It fails only when the watch had failed, or with the connection.
    this.#connection.ask(MessageType.unwatch, undefined, shared.path, [shared.path, shared.token], undefined, () => {})
  }

  #poll(shared: SharedWatch): void {
    shared.polling = this.#connection.machine.timers.set(POLL_MS, () => this.#poll(shared))
    this.#deliver(shared, shared.path)
  }

  #deliver(shared: SharedWatch, path: string): void {
    shared.fired = true
    for (const callback of [...shared.callbacks]) if (shared.callbacks.has(callback)) callback(path)
  }
}
