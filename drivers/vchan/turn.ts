/**
 * What one end of a vchan does in a turn of the event loop. A kick costs both domains more than many small reads or writes, so the peer
 * is told of them together: when half a ring has changed, before we wait for it ourselves, or at the end of the turn. And a turn is not
 * for one channel alone, however fast its peer is.
 */
import type { Timer, XenMachine } from '@xen-ts/runtime/machine'
import type { Link } from './link.ts'

/** Reads and writes of one channel in a turn: timers and other devices get theirs. */
const SHARE = 256

export class Turn {
  /** This turn had its share: what else is to be done waits for the next. */
  spent = false
  readonly #machine: XenMachine
  readonly #link: Link
  readonly #next: { wake(): void }
  /** Bytes moved of which the peer is told at once, so that both ends work at the same time. */
  readonly #soon: number
  /** What was done since the peer was last told, bits of Notify, and for how many bytes. */
  #untold = 0
  #bytes = 0
  #count = 0
  /** Set when something was done in this turn; fires at its end. */
  #timer: Timer | undefined

  /** @param next woken in the turn after one that was spent */
  constructor(machine: XenMachine, link: Link, next: { wake(): void }) {
    this.#machine = machine
    this.#link = link
    this.#next = next
    const read = link.reader.size
    const write = link.writer.size
    this.#soon = (read < write ? read : write) >>> 1
  }

  /** One read or write (bits of Notify) was done, of so many bytes. */
  did(what: number, bytes: number): void {
    this.#untold |= what
    this.#bytes += bytes
    if (++this.#count >= SHARE) this.spent = true
    this.#timer ??= this.#machine.timers.set(0, this.#onTurnEnd)
    if (this.#bytes >= this.#soon) this.tell()
  }

  /** Kicks the peer if it asked for that. The and8 is a full barrier: our indices are visible before we look whether it sleeps. */
  tell(): void {
    const what = this.#untold
    if (what === 0) return
    this.#untold = this.#bytes = 0
    const control = this.#link.control
    const side = this.#link.side
    const channel = this.#link.channel
    if ((this.#machine.abi.and8(control, side.asked, ~what & 0xff) & what) !== 0) channel.notify()
  }

  /** The channel has ended: the peer is told nothing more. */
  end(): void {
    this.#timer?.cancel()
    this.#untold = 0
    this.spent = false
  }

  readonly #onTurnEnd = (): void => {
    this.#timer = undefined
    this.#count = 0
    this.tell()
    if (!this.spent) return
    this.spent = false
    this.#next.wake()
  }
}
