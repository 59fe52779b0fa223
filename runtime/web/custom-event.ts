/** https://dom.spec.whatwg.org/#interface-customevent */
import { Event, type EventInit } from './events.ts'

export class CustomEvent<T = unknown> extends Event {
  readonly #detail: T | null
  constructor(type: string, init: (EventInit & { detail?: T }) | null = {}) {
    super(type, init)
    this.#detail = init?.detail ?? null
  }
  get detail(): T | null {
    return this.#detail
  }
}
