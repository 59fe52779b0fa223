/** Programs bundled as `xen-ts build` does, and run in the guest's engine with a clock that jumps where the guest would wait. */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { bindAbi, createEngine, type Engine, guestStackBytes, hostAbi, runLoop, takeHooks } from '@xen-ts/boot/testing'
import { bundleProgram, findProject } from 'xen-ts/tool'
import { target } from './target.ts'

export function commit(): string {
  try {
    const output = execFileSync('git', ['-C', import.meta.dirname, 'rev-parse', '--short=7', 'HEAD'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return output.toString().trim()
  } catch {
    return 'unknown'
  }
}

/** The bundle of the program in a file, with the tool's own options. Throws what the tool would say. */
export async function bundle(app: string): Promise<string> {
  const module = fileURLToPath(new URL('target.ts', import.meta.url))
  const { code } = await bundleProgram(findProject(app), {
    name: 'suite',
    becomes: 'image',
    module,
    elsewhere: {},
    target,
    globals: target.globals,
  })
  return code
}

/** Evaluates a script in the engine. */
export type Evaluate = (source: string, filename: string) => void

/** What a program reaches as globalThis.__host(operation, text). */
export type Host = (operation: string, text: string, evaluate: Evaluate) => string | undefined

export interface GuestRun {
  /** What `bundle` returned. */
  readonly code: string
  /** Scripts before and after it. */
  readonly before?: string
  readonly after?: string
  readonly host: Host
  /** Console text. */
  readonly output?: (text: string) => void
}

/** The same engine without the project's runtime: to tell whose fault something is. Runs `run`, then all jobs. */
export async function runBare(host: Host, run: (evaluate: Evaluate) => void): Promise<void> {
  const engine = await createEngine({ jsStackLimit: guestStackBytes })
  run(installHost(engine, host))
  engine.drain()
}

const hostId = 1000

// The engine's Date asks Node's: it is to jump with the other clocks. One run at a time in a thread.
const realNow = Date.now
let skipped = 0

/**
 * Runs a bundle until the program ends: returns the reason of its shutdown (0: poweroff, 3: crash). Waiting takes no time: the clock jumps;
 * it goes on by itself while code runs. Throws what the runtime itself throws.
 */
export async function runGuest({ code, before = '', after = '', host, output = () => {} }: GuestRun): Promise<number> {
  Date.now = () => realNow() + skipped
  skipped = 0
  const start = performance.now()
  const now = () => performance.now() - start + skipped
  const engine = await createEngine({ jsStackLimit: guestStackBytes })
  installHost(engine, host)
  bindAbi(engine, {
    ...hostAbi(engine, { output }),
    clockMonotonic: now,
    clockRecent: now,
    clockWall: () => Date.now(),
    wait(deadline: number) {
      if (deadline === Infinity) throw new Error('wait: no deadline, and nothing that could happen')
      skipped += Math.max(0, deadline - now())
      return 0
    },
  })
  engine.free(engine.eval(`${before}\n;${code}\n;${after}`, 'bundle.js'))
  return runLoop(engine, takeHooks(engine))
}

/** Puts globalThis.__host in place; returns what evaluates a script. */
function installHost(engine: Engine, host: Host): Evaluate {
  const evaluate: Evaluate = (source, filename) => engine.free(engine.eval(source, filename))
  engine.host[hostId] = (argc: number, argv: number) => {
    const text = (i: number) => (i < argc && engine.values.isString(argv + 8 * i) ? engine.text(argv + 8 * i) : '')
    try {
      const result = host(text(0), text(1), evaluate)
      return result === undefined ? 0 : engine.string(result)
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) throw error
      return engine.throw(error)
    }
  }
  const global = engine.global()
  engine.set(global, '__host', engine.function('__host', hostId))
  engine.free(global)
  return evaluate
}
