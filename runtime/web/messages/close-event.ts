/** https://websockets.spec.whatwg.org/#the-closeevent-interface */
import { Event, type EventInit } from '../events.ts'

export interface CloseEventInit extends EventInit {
  wasClean?: boolean
  code?: number
  reason?: string
}

export class CloseEvent extends Event {
  readonly #wasClean: boolean
  readonly #code: number
  readonly #reason: string

  constructor(type: string, init: CloseEventInit | null = {}) {
    if (arguments.length === 0) throw new TypeError('CloseEvent: the type is missing; give it as text')
    super(type, init)
    const { wasClean = false, code = 0, reason = '' } = init ?? {}
    this.#wasClean = Boolean(wasClean)
    this.#code = Number(code) & 0xffff
    this.#reason = String(reason)
  }

  get wasClean(): boolean {
    return this.#wasClean
  }
  get code(): number {
    return this.#code
  }
  get reason(): string {
    return this.#reason
  }
}
