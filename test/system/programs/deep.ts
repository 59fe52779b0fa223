// Runs out of stack in every way the engine has, and tells how deep it came; each must be an error that can be caught, again and again.
import { unikernel } from 'xen-ts'

const abi = (globalThis as unknown as { __abi: { memory(what?: number): number } }).__abi

let depth = 0
const nested = (levels: number) => {
  let a: unknown[] = []
  for (let i = 0; i < levels; i++) a = [a]
  return a
}

/** Runs something where only a few KiB of stack are left. Its own calls take 8 KiB each, so that traces are short. */
const atTheEnd: (run: () => void) => void = (0, eval)(`(function wide(run) {
  var ${Array.from({ length: 1000 }, (_, i) => `a${i}`)}
  try { wide(run) } catch (e) { if (run.ran) throw e; run.ran = true; run() }
})`)

/** Each counts its levels in `depth`, or is given too many. */
const ways: Record<string, () => unknown> = {
  recursion: () => {
    const f = (): number => {
      depth++
      return f() + 1
    }
    return f()
  },
  map: () => {
    const f = (): unknown =>
      [1].map(() => {
        depth++
        return f()
      })
    return f()
  },
  sort: () => {
    const f = (): unknown =>
      [2, 1].sort(() => {
        depth++
        f()
        return 1
      })
    return f()
  },
  getter: () => {
    const o = {
      get x(): unknown {
        return JSON.stringify(o)
      },
      toJSON() {
        depth++
        return this.x
      },
    }
    return JSON.stringify(o)
  },
  proxy: () => {
    const p: any = new Proxy(
      {},
      {
        get: (_, key) => {
          depth++
          return p[`${String(key)}x`.slice(-9)]
        },
      },
    )
    return p.a
  },
  replace: () => {
    const f = (): string =>
      'a'.replace(/a/, () => {
        depth++
        return f()
      })
    return f()
  },
  refused: () => {
    const f = (): void => {
      depth++
      try {
        abi.memory()
      } catch {}
      f()
    }
    atTheEnd(f)
  },
  generator: () => {
    function* f(): Generator<number> {
      depth++
      yield* f()
    }
    return [...f()]
  },
  clone: () => structuredClone(nested(20_000)),
  parse: () => JSON.parse('['.repeat(200_000)),
  stringify: () => JSON.stringify(nested(20_000)),
  evaluate: () => (0, eval)('('.repeat(40_000)),
  functions: () => (0, eval)('(function(){'.repeat(8_000)),
  pattern: () => new RegExp('(?:'.repeat(100_000)),
}

const tell = (run: () => unknown): string => {
  depth = 0
  try {
    run()
    return 'returned'
  } catch (error) {
    return error === null ? 'out of memory' : `${(error as Error).name}: ${(error as Error).message} at ${depth}`
  }
}

/** The levels of a program that is not to be refused: components in components, schemas in schemas. */
const levels = (n: number): number => (n === 0 ? 0 : 1 + [n].map(m => levels(m - 1))[0])

export default unikernel({
  name: 'deep',
  async start({ log }) {
    for (const [name, run] of Object.entries(ways)) log.info(`${name}: ${tell(run)}`)
    log.info(`stacks: ${abi.memory(4) >> 10} KiB`)
    // The heap gives nothing back: the stack keeps a share of memory.
    for (let round = 0; round < 3; round++) {
      await new Promise(resolve => setTimeout(resolve, 1))
      const blocks: Uint8Array[] = []
      try {
        while (blocks.length < 4096) blocks.push(new Uint8Array(1 << 16).fill(round))
      } catch {}
      const full = tell(ways.recursion)
      blocks.length = 0
      log.info(`round ${round}: ${full} while memory is full, then ${tell(ways.recursion)}`)
    }
    let caught = 0
    for (let i = 0; i < 100; i++) if (/stack overflow/.test(tell(ways.recursion))) caught++
    log.info(`again: ${caught} caught`)
    log.info(`levels: ${levels(50)}`)
    log.info('alive')
  },
})
