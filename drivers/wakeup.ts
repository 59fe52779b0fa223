/** Something to wait for that may happen at any time, also before anybody waits. */
export class Wakeup {
  #happened = false
  #resolve: (() => void) | undefined

  readonly wake = (): void => {
    this.#happened = true
    this.#resolve?.()
  }

  /** Resolves once `wake` was called after the last `wait` had resolved. */
  async wait(): Promise<void> {
    if (!this.#happened)
      await new Promise<void>(resolve => {
        this.#resolve = resolve
      })
    this.#happened = false
    this.#resolve = undefined
  }
}
