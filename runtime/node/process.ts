/**
 * The entry of a program that is a process under Node: what guest.ts is for the kernel. Its arguments are those of the process
 * (`--greeting=Hi`) and, for what those leave open, variables of the environment (`XEN_TS_GREETING=Hi`); the log goes to standard error.
 * It ends by SIGINT, SIGTERM or SIGHUP as a domain does by a shutdown request, with exit code 0; 1 is a crash, 2 that the program, or how
 * it was called, is wrong.
 */
import { helpText } from '../args.ts'
import { Lifecycle } from '../lifecycle.ts'
import { LogWriter } from '../log.ts'
import type { Machine } from '../machine.ts'
import { type MainOptions, main } from '../start.ts'
import { hostFunctions, nodeTimers } from './machine.ts'

const PREFIX = 'XEN_TS_'
/** Numbers of the signals, for the exit code of a process that is not let end in good order: 128 + n, as shells have it. */
const signals = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const
/** The longest time (ms) that a timer of Node has. */
const LONGEST = 2 ** 31 - 1

/** Runs a program in this process, to its end. */
export function runProcess(options: MainOptions): void {
  if (typeof Promise.withResolvers !== 'function') {
    process.stderr.write(`${options.name} needs Node 22 or later, and this is ${process.version}: install a newer one\n`)
    process.exit(2)
  }
  const timers = nodeTimers()
  const logs = new LogWriter({ write: text => void process.stderr.write(text), now: Date.now })
  const machine: Machine = { abi: hostFunctions(), timers, log: source => logs.log(source) }
  const shutdown = (reason: number): never => process.exit(lifecycle.misused ? 2 : reason === 0 || reason === 1 ? 0 : 1)
  const lifecycle: Lifecycle = new Lifecycle({ shutdown }, timers, logs.log(options.name))
  // A program may wait for its signal alone. Nothing else keeps Node from ending then.
  setInterval(() => {}, LONGEST)
  for (const [name, number] of Object.entries(signals)) {
    process.on(name, () => {
      if (lifecycle.signal.aborted) process.exit(128 + number) // the second one: at once
      lifecycle.request('poweroff')
    })
  }
  process.on('uncaughtException', error => lifecycle.fail(error))
  process.on('unhandledRejection', (reason, promise) => lifecycle.rejected(reason, promise))
  lifecycle.own(
    main(options, {
      machine,
      logs,
      lifecycle,
      scope: globalThis,
      read(reader) {
        reader.words(process.argv.slice(2))
        for (const hint of reader.settings(environment(process.env))) logs.log('args').warn(`environment (${PREFIX}...): ${hint}`)
      },
      help: (name, tables) => void process.stdout.write(helpText(name, tables, `on the command line; or ${PREFIX}NAME in the environment`)),
    }),
  )
}

/** `XEN_TS_MAX_SIZE` is `--max-size`. */
const environment = (variables: NodeJS.ProcessEnv): ReadonlyMap<string, string> =>
  new Map(
    Object.entries(variables).flatMap(([name, value]) =>
      name.startsWith(PREFIX) && value !== undefined ? [[name.slice(PREFIX.length).toLowerCase().replaceAll('_', '-'), value]] : [],
    ),
  )
