/** A kernel for tests under Node: the ABI with virtual time, and the loop that calls `turn`. */
import type { Abi } from '@xen-ts/boot/abi'
import { type BootOptions, boot, type Hooks } from './guest.ts'
import { hostFunctions } from './node/machine.ts'

export class FakeKernel {
  /** All that was written. */
  console = ''
  /** Milliseconds since boot. Only `wait` moves it, or a test. */
  time = 0
  /** What shutdown was called with. */
  reason: number | undefined
  readonly #commandLine: string
  readonly #pending = new Set<number>()
  #events: { time: number; port: number }[] = []
  /** The kernel's and the program's global object. */
  readonly scope: { __abi: Abi; __xenTs?: Hooks }

  /** @param wall milliseconds since 1970 at boot */
  constructor({ commandLine = '', wall = Date.UTC(2026, 10, 22, 18, 29, 54, 123) } = {}) {
    this.#commandLine = commandLine
    const refuse = (name: string) => () => {
      throw new Error(`the fake kernel has no ${name}`)
    }
    const functions: Partial<Abi> = {
      ...hostFunctions({ now: () => this.time, wall: () => wall + this.time }),
      consoleWrite: text => {
        this.console += text
      },
      clockSet: value => {
        wall = value - this.time
      },
      wait: (deadline, ports) => this.#wait(deadline, ports),
      commandLine: () => this.#commandLine,
      shutdown: reason => (this.reason = reason),
    }
    this.scope = { __abi: new Proxy(functions, { get: (target, name) => Reflect.get(target, name) ?? refuse(String(name)) }) as Abi }
  }

  get abi(): Abi {
    return this.scope.__abi
  }

  /** Lines without their time: `INF [hello] hello 1`. */
  get lines(): string[] {
    return this.console
      .split('\n')
      .slice(0, -1)
      .map(line => line.replace(/^[\d-]+ [\d:.]+ -00:00: /, ''))
  }

  /** Makes a port pending at a time (now, if it has passed). */
  notify(port: number, time = 0): void {
    if (time <= this.time) this.#pending.add(port)
    else this.#events = [...this.#events, { time, port }].sort((a, b) => a.time - b.time)
  }

  /** Boots a program and runs it until it shuts the domain down; returns the reason. */
  async run(options: BootOptions, { turns = 10_000 } = {}): Promise<number> {
    boot(options, this.scope)
    const { turn, fail } = this.scope.__xenTs as Hooks
    for (let i = 0; i < turns; i++) {
      if (this.reason !== undefined) return this.reason
      try {
        turn()
      } catch (error) {
        fail(error)
      }
      await new Promise(resolve => setImmediate(resolve))
    }
    throw new Error(`no shutdown after ${turns} turns; console:\n${this.console}`)
  }

  #wait(deadline: number, ports: Uint8Array): number {
    const next = this.#events[0]?.time ?? Infinity
    if (this.#pending.size === 0) {
      const until = Math.min(deadline, next)
      if (until === Infinity) throw new Error('the fake kernel would wait for ever')
      this.time = Math.max(this.time, until)
    }
    for (; this.#events.length > 0 && this.#events[0].time <= this.time; this.#events.shift()) this.#pending.add(this.#events[0].port)
    const into = new Uint32Array(ports.buffer, ports.byteOffset, ports.byteLength / 4)
    let count = 0
    for (const port of this.#pending) {
      if (count === into.length) break
      into[count++] = port
      this.#pending.delete(port)
    }
    return count
  }
}
