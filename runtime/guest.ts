/**
 * The entry of a guest bundle. `boot` is called while the heap snapshot is made: it only puts things in place, for there is neither
 * clock nor randomness then. The program begins with the first `turn` the kernel calls.
 */
import './web/symbols.ts'
import './web/error-stack.ts'
import type { Abi } from '@xen-ts/boot/abi'
import { helpText } from './args.ts'
import { installGlobals, installLazily } from './globals.ts'
import type { Graph } from './graph.ts'
import { Lifecycle } from './lifecycle.ts'
import { LogWriter } from './log.ts'
import { Loop } from './loop.ts'
import type { XenMachine } from './machine.ts'
import { type MainOptions, main } from './start.ts'
import { Suspension } from './suspension.ts'
import type { Global, GlobalContext } from './target.ts'
import { dispatchUnhandledRejection } from './web/errors.ts'

export interface BootOptions extends MainOptions {
  /** Of the target's globals, those that the program uses. */
  readonly globals?: Readonly<Record<string, Global>>
}

/** What the kernel calls. */
export interface Hooks {
  turn(): void
  fail(reason: unknown): void
}

/**
 * Rejections that listeners are told of between two turns. The kernel reports them all before it does the next one: a listener that is
 * async, and fails itself, would keep the program from everything else for ever. What they are not told of is logged, or the end.
 */
const MOST_TOLD = 100

/** Sets up the runtime on the ABI in `scope.__abi` and leaves the kernel's hooks in `scope.__xenTs`. */
export function boot(options: BootOptions, scope: { __abi?: Abi; __xenTs?: Hooks } = globalThis as {}): void {
  const abi = scope.__abi
  if (abi === undefined) throw new Error('there is no kernel: __abi is not set; boot() is for bundles that xen-ts build made')
  const loop = new Loop(abi)
  const logs = new LogWriter({ write: text => abi.consoleWrite(text), now: () => abi.clockWall() })
  const suspension = new Suspension(abi, loop, logs.log('suspend'))
  const machine: XenMachine = { abi, ports: loop, timers: loop, suspension, log: source => logs.log(source) }
  installGlobals(scope, machine, logs, options.name)
  const lifecycle = new Lifecycle(abi, loop, logs.log(options.name))
  const connected = Promise.withResolvers<Graph>()
  const context: GlobalContext = { machine, lifecycle, use: async device => (await connected.promise).use(device) }
  const globals = Object.entries(options.globals ?? {}).map(([name, make]) => [name, () => make(context)])
  installLazily(scope, Object.fromEntries(globals))
  let told = 0
  lifecycle.onRejection = (reason, promise) => dispatchUnhandledRejection(reason, promise, told++ < MOST_TOLD)

  let started = false
  scope.__xenTs = {
    turn() {
      if (lifecycle.ended) return
      told = 0
      if (started) {
        try {
          loop.turn()
        } catch (error) {
          // Thrown, not rejected: a timer or a driver may have stopped half way. Where the program listens for errors it was told of this
          // one already (web/timers.ts).
          lifecycle.fail(error)
        }
        return
      }
      started = true
      lifecycle.own(
        main(options, {
          machine,
          logs,
          lifecycle,
          scope,
          connected: connected.resolve,
          read: reader => reader.commandLine(abi.commandLine()),
          help: (name, tables) => abi.consoleWrite(helpText(name, tables, 'on the kernel command line')),
        }),
      )
    },
    // What is left for the kernel to report are promises, jobs being reactions to them.
    fail: reason => lifecycle.rejected(reason),
  }
  // For whoever looks at the program before it is started (examine/booted.ts).
  Object.assign(scope.__xenTs.turn, { options })
}
