/** From a program's module to its end, on any machine: the kernel's (guest.ts), or a process under Node (node/process.ts). */
import { ArgReader, type ArgTable, arg } from './args.ts'
import { builtDefaults } from './defaults.ts'
import type { DeviceContext } from './device.ts'
import { clockOf, randomOf } from './devices/ambient.ts'
import { installLazily } from './globals.ts'
import { Graph, order, type Wire } from './graph.ts'
import type { Lifecycle } from './lifecycle.ts'
import { type LogWriter, parseThresholds, type Threshold } from './log.ts'
import type { Machine } from './machine.ts'
import { type Program, programOf } from './program.ts'
import type { Connect, Elsewhere, Target, TargetContext } from './target.ts'
import { UsageError } from './usage-error.ts'

export interface MainOptions {
  readonly target: Target
  readonly connect: Connect
  /** Where device kinds exist that the target lacks. */
  readonly elsewhere?: Elsewhere
  /** Log source and title until the program gives its own name; the name of a program that is only a handler. */
  readonly name: string
  readonly version?: string
  /** Words of a command line that count less than those it was started with, and than settings. */
  readonly defaults?: readonly string[]
  /** Which devices there are, and what each needs. Not given: what the program's descriptions say. */
  readonly devices?: Wire
  /** Loads the app's module: its top level runs at boot. */
  readonly program: () => Promise<unknown>
}

/** What it runs on. */
export interface Host {
  readonly machine: Machine
  readonly logs: LogWriter
  readonly lifecycle: Lifecycle
  /** The global object. */
  readonly scope: object
  /** The target is connected: devices can be asked for. */
  connected?(graph: Graph): void
  /** Gives the reader what the program was started with. */
  read(reader: ArgReader): void
  /** Prints the text of --help. */
  help(name: string, tables: Readonly<Record<string, ArgTable>>): void
}

export const builtin = {
  logs: arg.list({ doc: 'levels of log sources, such as net-xen:debug,*:info' }),
  strict: arg.boolean({ default: false, doc: 'ends the domain on a rejected promise that nobody handles, also while it serves' }),
  help: arg.boolean({ default: false, doc: 'prints this and ends' }),
} satisfies ArgTable

/** Connects a program's devices and starts it; sees to its end. */
export async function main(options: MainOptions, host: Host): Promise<void> {
  const { machine, logs, lifecycle, scope } = host
  const { target, connect, elsewhere, name, version, program: load } = options
  await lifecycle.run(
    async () => {
      const known = new Set(Reflect.ownKeys(scope))
      const program = programOf(await load(), name)
      const reader = new ArgReader(allArgs(program, target))
      host.read(reader)
      reader.defaults(builtDefaults)
      reader.defaults(options.defaults ?? [])
      if (reader.peek('help')) {
        const tables = { [program.name]: program.args, [`target ${target.name}`]: target.args ?? {}, always: builtin }
        host.help(program.name, tables)
        return undefined
      }
      reader.check()
      lifecycle.strict = reader.peek('strict') as boolean
      logs.setThresholds(thresholds(reader.peek('logs') as string[]))
      const kinds = new Set(order(program.devices, target, elsewhere).map(({ name }) => name))

      const context = (source: string): DeviceContext => ({
        machine,
        lifecycle,
        log: logs.log(source),
        signal: lifecycle.signal,
        args: reader.values(target.args ?? {}),
      })
      let graph: Graph | undefined
      const targetContext: TargetContext = {
        ...context(target.name),
        log: logs.programLog(target.name),
        machine,
        program: { name: program.name, version },
        kinds,
        async use(device) {
          if (graph === undefined) throw new Error(`target ${target.name} used device ${device.name} before its connect had returned`)
          return graph.use(device)
        },
      }
      const platform = await connect(targetContext)
      graph = new Graph(target, platform, context)
      host.connected?.(graph)
      // What the program's top level has set wins.
      const globals = Object.entries(platform.globals ?? {}).filter(([key]) => known.has(key) || !Object.hasOwn(scope, key))
      installLazily(scope, Object.fromEntries(globals))
      const settings = await platform.settings?.()
      if (settings !== undefined) for (const hint of reader.settings(settings)) logs.log('args').warn(`settings: ${hint}`)
      const args = reader.values(program.args)

      const devices =
        options.devices === undefined ? await graph.connect(program.devices) : await graph.connectWired(program.devices, options.devices)
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

/** The arguments of a program on a target. @throws UsageError for a name that is taken */
export function allArgs(program: Program, target: Target): ArgTable {
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
