/** Runs a bundle as run.ts does, and counts what each of its functions executes. The clock moves only when it is looked at: each run counts the same. */
import { counterPages } from '../engine/count.ts'
import { nameOf } from '../image/function-names.ts'
import { findBytecode, type ListedFunction } from '../image/functions.ts'
import { bindAbi } from './abi.ts'
import { createEngine } from './create.ts'
import { callDeep } from './deep.ts'
import { guestStackBytes } from './guest-stack.ts'
import { hostAbi } from './host-abi.ts'
import { runLoop, takeHooks } from './loop.ts'

export interface CountedFunction extends ListedFunction {
  /** Executed bytecodes. */
  readonly count: number
}

/** Milliseconds that pass at a look at the clock. */
const LOOK = 1 / 1024

interface Bundle {
  /** A classic script that sets globalThis.__xenTs = { turn, fail }. */
  readonly bundle: string
  readonly filename: string
}

/** Until it calls abi.shutdown. Throws a GuestError as runInEngine does. */
export const countInEngine = (bundle: Bundle, output: (text: string) => void): Promise<CountedFunction[]> =>
  callDeep(import.meta.url, 'count', bundle, output)

/** What runs on the thread. @public: callDeep finds it by its name. */
export async function count({ bundle, filename }: Bundle, output: (text: string) => void): Promise<CountedFunction[]> {
  const counts = new WebAssembly.Memory({ initial: counterPages })
  const engine = await createEngine({ jsStackLimit: guestStackBytes, stripSource: true, clock: () => 0, counts })
  let now = 0
  const look = (): number => {
    now += LOOK
    return now
  }
  bindAbi(engine, {
    ...hostAbi(engine, { output }),
    clockMonotonic: look,
    clockRecent: look,
    clockWall: look,
    wait(deadline) {
      if (deadline === Infinity) throw new Error('wait: no deadline, and nothing that could happen')
      now = Math.max(now, deadline)
      return 0
    },
  })
  engine.free(engine.eval(bundle, filename))
  const hooks = takeHooks(engine)
  runLoop(engine, hooks)
  const { u8 } = engine.memory
  const found = findBytecode({ pages: [], memoryPages: u8.length / 65536, runtime: engine.runtime, turn: hooks.turn }, u8.slice())
  const all = new Uint32Array(counts.buffer)
  return found.map(({ address, code, length, kind }) => ({
    address,
    bytes: length,
    kind,
    ...nameOf(u8, engine.runtime, address),
    count: all.subarray(code, code + length).reduce((sum, one) => sum + one, 0),
  }))
}
