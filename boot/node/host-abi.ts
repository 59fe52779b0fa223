/** An Abi for the engine in Node: memory, text, console, randomness and a clock of its own. There is no Xen behind it. */
import { randomFillSync } from 'node:crypto'
import type { HostAbi } from './abi.ts'
import { checkWhole } from './checks.ts'
import type { Engine } from './engine.ts'
import { Halt } from './errors.ts'
import { compiledAbi, memoryAbi } from './memory-abi.ts'

export interface HostAbiOptions {
  /** Where console text goes. Default: to stdout. */
  readonly output?: (text: string) => void
  readonly commandLine?: string
  /** The monotonic clock is the host's. Default: it moves only when the program waits. */
  readonly realClock?: boolean
  /** Wall clock at the start, milliseconds since 1970. Default: 2026-01-01. */
  readonly wallStart?: number
}

/**
 * The clock stands still but for wait, which moves it to the deadline at once: tests take no time and give the same result each
 * time. A wait without a deadline can never end here: it throws.
 */
export function hostAbi(engine: Engine, options: HostAbiOptions = {}): HostAbi {
  const {
    output = text => {
      process.stdout.write(text)
    },
    commandLine = '',
    realClock = false,
    wallStart = Date.UTC(2026, 0),
  } = options
  let now = 0
  let wall = wallStart
  const noXen = (name: string) => () => {
    throw new Error(`${name}: there is no Xen here`)
  }
  return {
    ...memoryAbi,
    ...compiledAbi,
    consoleWrite: output,
    consoleRead: () => 0,
    consolePort: () => 0,
    clockMonotonic: realClock ? () => performance.now() : () => now,
    clockRecent: realClock ? () => performance.now() : () => now,
    clockWall: () => wall + now,
    clockSet: value => {
      wall = value - now
    },
    wait(deadline, ports) {
      if (ports.length < 4) throw new RangeError('wait: ports must have room for a port, 4 bytes')
      if (Number.isNaN(deadline)) throw new RangeError('wait: deadline is NaN')
      if (deadline === Infinity) throw new Error('wait: no deadline, and nothing that could happen')
      now = Math.max(now, deadline)
      return 0
    },
    pagesAlloc(count) {
      checkWhole('pagesAlloc', 'count', count, 0x7ffff)
      if (count === 0) throw new RangeError('pagesAlloc: count is 0; it must be at least 1')
      return engine.pages(count)
    },
    pagesReserve: noXen('pagesReserve'),
    pagesFree: () => 0,
    pageFrame: (pages, index) => pages.byteOffset / 4096 + index,
    grantTable: noXen('grantTable'),
    grantFrames: noXen('grantFrames'),
    grantMap: noXen('grantMap'),
    grantUnmap: noXen('grantUnmap'),
    evtchnAllocUnbound: noXen('evtchnAllocUnbound'),
    evtchnBindInterdomain: noXen('evtchnBindInterdomain'),
    evtchnClose: noXen('evtchnClose'),
    evtchnSend: noXen('evtchnSend'),
    evtchnStatus: noXen('evtchnStatus'),
    xenstorePage: () => undefined,
    xenstorePort: () => 0,
    wasm() {
      throw new Error('WebAssembly is compiled for a domain, and runs there only: call it from start()')
    },
    random(into) {
      randomFillSync(into)
    },
    randomMix() {},
    commandLine: () => commandLine,
    memory(what) {
      checkWhole('memory', 'what', what, 5)
      return what === 0 || what === 2 ? engine.memory.size : 0
    },
    shutdown(reason) {
      checkWhole('shutdown', 'reason', reason, 3)
      throw new Halt(reason)
    },
  }
}
