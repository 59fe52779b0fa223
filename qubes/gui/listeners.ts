/** Who hears of what the user does with a window. */
import { describeError, type Log } from '@xen-ts/runtime/machine'
import type { WindowEvents } from './window-context.ts'

export class Listeners {
  readonly #log: Log
  readonly #name: string
  readonly #handlers = new Map<string, Set<(event: never) => void>>()

  /** @param name of the window, for the log */
  constructor(log: Log, name: string) {
    this.#log = log
    this.#name = name
  }

  on<K extends keyof WindowEvents>(kind: K, handler: (event: WindowEvents[K]) => void): () => void {
    const handlers = this.#handlers.get(kind) ?? new Set()
    this.#handlers.set(kind, handlers.add(handler))
    return () => {
      handlers.delete(handler)
    }
  }

  emit<K extends keyof WindowEvents>(kind: K, event: WindowEvents[K]): void {
    for (const handler of [...(this.#handlers.get(kind) ?? [])] as ((event: WindowEvents[K]) => void)[]) {
      try {
        handler(event)
      } catch (error) {
        this.#log.error(`${this.#name}: the program's handler of '${kind}' threw ${describeError(error)}`)
      }
    }
  }
}
