/** A machine for tests of agents, which need text, timers and a log, and little else of it. */
import type { Abi } from '@xen-ts/boot/abi'
import { Suspension, type XenMachine } from '@xen-ts/runtime/machine'
import { hostFunctions, lineLog, nodeTimers } from '@xen-ts/runtime/node'

export interface TestMachine extends XenMachine {
  /** Every line logged, as `INF [source] text`. */
  readonly lines: string[]
  /** Seeds given to randomMix. */
  readonly seeds: Uint8Array[]
}

/** @param speed how much faster than the clock timers run: pauses of seconds need not be waited for */
export function testMachine(speed = 50): TestMachine {
  const lines: string[] = []
  const seeds: Uint8Array[] = []
  let correction = 0
  const functions: Partial<Abi> = {
    ...hostFunctions({ wall: () => Date.now() + correction }),
    randomMix(seed) {
      seeds.push(seed.slice())
    },
    shutdown: () => 1,
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
  const log = lineLog(line => {
    lines.push(line)
  })
  const timers = nodeTimers(speed)
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
