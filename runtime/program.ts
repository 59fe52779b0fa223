/** What a program is: what it needs, and a `start` that receives it connected. */
import { type ArgTable, type ArgValues, arg } from './args.ts'
import type { Connected, Devices } from './device.ts'
import type { Clock, Random } from './devices/ambient.ts'
import { http } from './devices/http.ts'
import { describeGraph } from './graph.ts'
import type { ProgramLog } from './log.ts'
import type { Elsewhere, Target } from './target.ts'
import { UsageError } from './usage-error.ts'

/** Everything ambient that `start` receives beside its devices; a test passes its own. */
export interface StartContext<A extends ArgTable> {
  readonly args: ArgValues<A>
  /** Has the program's name as its source; `log.tap` and `log.recent` show what all others say. */
  readonly log: ProgramLog
  /** Aborts on a shutdown request; `start` then has five seconds to return. */
  readonly signal: AbortSignal
  readonly clock: Clock
  readonly random: Random
}

export interface ProgramOptions<D extends Devices, A extends ArgTable> {
  /** Source of its log lines, title of --help. */
  readonly name: string
  readonly args?: A
  readonly devices?: D
  /** When it resolves the domain powers off; when it rejects the error is logged and the domain crashes. */
  start(context: Connected<D> & StartContext<A>): unknown
}

const brand = Symbol.for('xen-ts.program')

export interface Program<D extends Devices = Devices, A extends ArgTable = ArgTable> {
  readonly [brand]: true
  readonly name: string
  readonly args: A
  readonly devices: D
  readonly start: (context: Connected<D> & StartContext<A>) => unknown
  /** It is only a handler: what it does, it does for somebody who asked. */
  readonly isHandler?: boolean
}

const reserved = ['args', 'log', 'signal', 'clock', 'random']

/** Describes a program. Export it as default. */
export function unikernel<const D extends Devices = {}, const A extends ArgTable = {}>(options: ProgramOptions<D, A>): Program<D, A> {
  const { name, args = {} as A, devices = {} as D, start } = options
  if (typeof name !== 'string' || !/^[A-Za-z0-9][\w.-]*$/.test(name)) {
    throw new UsageError(
      `unikernel(): name '${name}' is not usable; letters, digits, '-', '_' and '.' are, beginning with a letter or digit`,
    )
  }
  if (typeof start !== 'function') throw new UsageError(`unikernel '${name}' has no start; write async start({ log }) { ... }`)
  for (const key of Object.keys(devices)) {
    if (!reserved.includes(key)) continue
    throw new UsageError(`unikernel '${name}': devices.${key} hides what start receives under that name; call it something else`)
  }
  return Object.freeze({ [brand]: true as const, name, args, devices, start: start as Program<D, A>['start'] })
}

/**
 * The program in a module: a default export made by `unikernel()`, or one with a `fetch` (which becomes a program that serves HTTP on port
 * 80, or the port of --port, named `name`). Throws a UsageError that says what was expected.
 */
export function programOf(module: unknown, name: string): Program {
  const value = (module as { default?: unknown } | null)?.default as any
  if (value?.[brand] === true) return value
  if (typeof value?.fetch === 'function') return handlerProgram(value, name)
  const found =
    value === undefined ? 'the module has no default export' : `the default export is ${value === null ? 'null' : `a ${typeof value}`}`
  throw new UsageError(`${name}: ${found}; expected 'export default unikernel({ ... })' or 'export default { fetch(request) { ... } }'`)
}

function handlerProgram(handler: { fetch(request: Request): Response | Promise<Response> }, name: string): Program {
  const program = unikernel({
    name,
    args: { port: arg.number({ default: 80, min: 1, max: 65535, integer: true, doc: 'TCP port the HTTP server listens on' }) },
    devices: { http: http() },
    start: ({ http, args, signal }) => http.serve({ port: args.port, signal }, request => handler.fetch(request)),
  }) as unknown as Program
  return Object.freeze({ ...program, isHandler: true })
}

/** The program's device graph and arguments in words, for `xen-ts describe`. */
export function describe(program: Program, target: Target, elsewhere: Elsewhere = {}): string {
  const graph = describeGraph(program.devices, target, elsewhere).replace(/^(?=.)/gm, '  ')
  const args = Object.entries(program.args).map(([key, { shape, doc }]) => `  ${key}: ${shape}, ${doc}`)
  const part = (title: string, lines: readonly string[]) => (lines.length === 0 ? [] : [title, ...lines])
  return [`${program.name} on ${target.name}`, ...part('devices', graph === '' ? [] : [graph]), ...part('arguments', args)].join('\n')
}
