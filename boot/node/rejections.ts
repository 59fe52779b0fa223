/** The promises that were rejected and that nobody has handled yet (ECMA-262 HostPromiseRejectionTracker). */
import type { Engine, Value } from './engine.ts'

export class Rejections {
  readonly #engine: Engine
  /** By the address of the promise, in the order of rejection. */
  readonly #unhandled = new Map<number, { promise: Value; reason: Value }>()

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** Called by the engine: once when a promise is rejected without a handler, and again when it gets one after all. */
  track(promise: bigint, reason: bigint, handled: boolean): void {
    const address = Number(promise & 0xffffffffn)
    const known = this.#unhandled.get(address)
    if (handled && known) {
      this.#unhandled.delete(address)
      this.#engine.free(known.promise)
      this.#engine.free(known.reason)
    } else if (!handled) {
      this.#unhandled.set(address, { promise: this.#keep(promise), reason: this.#keep(reason) })
    }
  }

  /** Takes the oldest reason; undefined when there is none. */
  take(): Value | undefined {
    for (const [address, { promise, reason }] of this.#unhandled) {
      this.#unhandled.delete(address)
      this.#engine.free(promise)
      return reason
    }
    return undefined
  }

  /** A value of our own from the bits of one that is borrowed. */
  #keep(bits: bigint): Value {
    const { context, exports, memory } = this.#engine
    const box = this.#engine.allocate(8)
    memory.setU64(box, bits)
    const value = exports.QTS_DupValuePointer(context, box)
    exports.free(box)
    return value
  }
}
