/**
 * The entry of a guest bundle. `boot` is called while the heap snapshot is made: it only puts things in place, for there is neither
 * clock nor randomness then. The program begins with the first `turn` the kernel calls.
 */
import './web/symbols.ts'
import './web/error-stack.ts'
import type { Abi } from '@xen-ts/boot/abi'
import { ArgReader, type ArgTable, arg, helpText } from './args.ts'
import type { DeviceContext } from './device.ts'
import { clockOf, randomOf } from './devices/ambient.ts'
import { installGlobals, installLazily } from './globals.ts'
import { Graph, order } from './graph.ts'
import { Lifecycle } from './lifecycle.ts'
import { LogWriter, parseThresholds, type Threshold } from './log.ts'
import { Loop } from './loop.ts'
import type { XenMachine } from './machine.ts'
import { type Program, programOf } from './program.ts'
import { Suspension } from './suspension.ts'
import type { Connect, Elsewhere, Global, GlobalContext, Target, TargetContext } from './target.ts'
import { UsageError } from './usage-error.ts'
import { dispatchUnhandledRejection } from './web/errors.ts'

export interface BootOptions {
  readonly target: Target
  readonly connect: Connect
  /** Where device kinds exist that the target lacks. */
  readonly elsewhere?: Elsewhere
  /** Of the target's globals, those that the program uses. */
  readonly globals?: Readonly<Record<string, Global>>
  /** Log source and title until the program gives its own name; the name of a program that is only a handler. */
  readonly name: string
  readonly version?: string
  /** Loads the app's module: its top level runs at boot. */
  readonly program: () => Promise<unknown>
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

const builtin = {
  logs: arg.list({ doc: 'levels of log sources, such as net-xen:debug,*:info' }),
  strict: arg.boolean({ default: false, doc: 'ends the domain on a rejected promise that nobody handles, also while it serves' }),
  help: arg.boolean({ default: false, doc: 'prints this and ends' }),
} satisfies ArgTable

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
      lifecycle.own(main(options, scope, machine, logs, lifecycle, connected.resolve))
    },
    // What is left for the kernel to report are promises, jobs being reactions to them.
    fail: reason => lifecycle.rejected(reason),
  }
}

async function main(
  options: BootOptions,
  scope: object,
  machine: XenMachine,
  logs: LogWriter,
  lifecycle: Lifecycle,
  connected: (graph: Graph) => void,
): Promise<void> {
  const { target, connect, elsewhere, name, version, program: load } = options
  await lifecycle.run(
    async () => {
      const program = programOf(await load(), name)
      const reader = new ArgReader(allArgs(program, target))
      reader.commandLine(machine.abi.commandLine())
      if (reader.peek('help')) {
        const tables = { [program.name]: program.args, [`target ${target.name}`]: target.args ?? {}, always: builtin }
        machine.abi.consoleWrite(helpText(program.name, tables))
        return undefined
      }
      reader.check()
      lifecycle.strict = reader.peek('strict') as boolean
      logs.setThresholds(thresholds(reader.peek('logs') as string[]))
      order(program.devices, target, elsewhere)

      const context = (source: string): DeviceContext => ({
        machine,
        lifecycle,
        log: logs.log(source),
        signal: lifecycle.signal,
        args: reader.values(target.args ?? {}),
      })
      let graph: Graph | undefined
      const targetContext: TargetContext<any, XenMachine> = {
        ...context(target.name),
        machine,
        program: { name: program.name, version },
        async use(device) {
          if (graph === undefined) throw new Error(`target ${target.name} used device ${device.name} before its connect had returned`)
          return graph.use(device)
        },
      }
      const platform = await connect(targetContext)
      graph = new Graph(target, platform, context)
      connected(graph)
      installLazily(scope, platform.globals ?? {})
      const settings = await platform.settings?.()
      if (settings !== undefined) for (const hint of reader.settings(settings)) logs.log('args').warn(`settings: ${hint}`)
      const args = reader.values(program.args)

      const devices = await graph.connect(program.devices)
      return () => {
        if (program.isHandler) lifecycle.serves()
        const running = program.start({
          ...devices,
          args,
          log: logs.programLog(program.name),
          signal: lifecycle.signal,
          clock: clockOf(machine),
          random: randomOf(machine),
        } as any)
        platform.started?.()
        return running
      }
    },
    start => start?.(),
  )
}

function allArgs(program: Program, target: Target): ArgTable {
  for (const key of Object.keys(program.args)) {
    const owner = Object.hasOwn(builtin, key)
      ? 'every program'
      : Object.hasOwn(target.args ?? {}, key)
        ? `target ${target.name}`
        : undefined
    if (owner === undefined) continue
    throw new UsageError(`${program.name}: args.${key} is taken: ${owner} has an argument of that name; call it something else`)
  }
  return { ...program.args, ...target.args, ...builtin }
}

function thresholds(texts: readonly string[]): Threshold[] {
  try {
    return texts.flatMap(parseThresholds)
  } catch (error) {
    throw new UsageError(`--logs: ${(error as Error).message}`)
  }
}
