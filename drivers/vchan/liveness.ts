/**
 * When to look whether peers are still alive. xenstore's `@releaseDomain` tells at once where dom0 lets guests watch it; a timer
 * looks all the same, as seldom as the Qubes library does. One of each for any number of channels.
 */

import type { Watch, Xenstore } from '@xen-ts/drivers'
import type { Timer, XenMachine } from '@xen-ts/runtime/machine'

const LOOK_EVERY_MS = 10_000

export interface Checked {
  check(): void
}

export class Liveness {
  readonly #machine: XenMachine
  readonly #xenstore: Xenstore
  readonly #checks = new Set<Checked>()
  #timer: Timer | undefined
  #watch: Watch | undefined

  constructor(machine: XenMachine, xenstore: Xenstore) {
    this.#machine = machine
    this.#xenstore = xenstore
  }

  /** Has it look whenever a domain may have gone, until `delete`. */
  add(checked: Checked): void {
    this.#checks.add(checked)
    if (this.#checks.size > 1) return
    this.#watch = this.#xenstore.watch('@releaseDomain', () => this.#look())
    this.#tick()
  }

  delete(checked: Checked): void {
    if (!this.#checks.delete(checked) || this.#checks.size > 0) return
    this.#watch?.close()
    this.#timer?.cancel()
  }

  #tick(): void {
    this.#timer = this.#machine.timers.set(LOOK_EVERY_MS, () => {
      this.#tick()
      this.#look()
    })
  }

  #look(): void {
    for (const checked of [...this.#checks]) if (this.#checks.has(checked)) checked.check()
  }
}
