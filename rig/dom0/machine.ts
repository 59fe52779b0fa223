/** A Machine for tests of agents, which need text, timers and a log and nothing else of it. */
import type { Abi } from '@xen-ts/boot/abi/abi.ts'
import type { Log } from '@xen-ts/runtime/log.ts'
import type { Machine } from '@xen-ts/runtime/machine.ts'
import { Suspension } from '@xen-ts/runtime/suspension.ts'

export interface TestMachine extends Machine {
  /** Every line logged, as `INF [source] text`. */
  readonly lines: string[]
  /** Seeds given to randomMix. */
  readonly seeds: Uint8Array[]
}

/** @param speed how much faster than the clock timers run: pauses of seconds need not be waited for */
export function testMachine(speed = 50): TestMachine {
  const lines: string[] = []
  const seeds: Uint8Array[] = []
  const encoder = new TextEncoder()
  let correction = 0
  const functions: Partial<Abi> = {
    utf8Encode(text, into, offset) {
      const bytes = encoder.encode(text)
      if (offset + bytes.length > into.length) return -bytes.length
      into.set(bytes, offset)
      return bytes.length
    },
    utf8Decode(bytes, offset, length) {
      const part = bytes.subarray(offset, offset + length)
      const end = part.indexOf(0)
      return new TextDecoder('utf-8', { ignoreBOM: true }).decode(end < 0 ? part : part.subarray(0, end))
    },
    randomMix(seed) {
      seeds.push(seed.slice())
    },
    shutdown: () => 1,
    clockWall: () => Date.now() + correction,
    clockSet(wall) {
      correction = wall - Date.now()
    },
  }
  const abi = new Proxy(functions, {
    get(target, name) {
      if (name in target) return Reflect.get(target, name)
      throw new Error(`the agent called abi.${String(name)}, which it has no business with`)
    },
  }) as Abi
  const log = (source: string): Log => {
    const at =
      (level: string) =>
      (text: string): void => {
        lines.push(`${level} [${source}] ${text}`)
      }
    return { app: at('APP'), error: at('ERR'), warn: at('WRN'), info: at('INF'), debug: at('DBG') }
  }
  const timers: Machine['timers'] = {
    now: () => performance.now() * speed,
    set(delay, run) {
      const timer = setTimeout(run, delay / speed)
      return { cancel: () => clearTimeout(timer) }
    },
  }
  return {
    abi,
    log,
    lines,
    seeds,
    timers,
    ports: {
      on() {
        throw new Error('no ports here')
      },
      off() {},
    },
    suspension: new Suspension(abi, timers, log('suspend')),
  }
}
