/**
 * console, on a log: https://console.spec.whatwg.org . log is what the program itself says (APP), the others are the levels of
 * their names.
 */
import { format, inspect } from '../format.ts'
import type { Log } from '../log.ts'
import { framesOf } from './error-stack.ts'
import { makers } from './makers.ts'

/** What console.table shows: a table where console-table.ts is in the image. */
export const tables = { show: inspect as (data: unknown, columns?: unknown) => string }

export function createConsole(log: Log, now: () => number): Record<string, (...args: any[]) => void> {
  const counts = new Map<string, number>()
  const times = new Map<string, number>()
  let indent = ''
  const at =
    (level: keyof Log) =>
    (...args: unknown[]): void =>
      log[level](indent + format(...args).replaceAll('\n', `\n${indent}`))
  const elapsed = (label: string, rest: unknown[]): void => {
    const start = times.get(label)
    if (start === undefined) log.warn(`console: there is no timer '${label}'; call console.time('${label}') first`)
    else at('app')(`${label}: ${(now() - start).toFixed(3)} ms`, ...rest)
  }
  const labelOf = ([label]: unknown[]): string => (label === undefined ? 'default' : String(label))
  const dir = (...args: unknown[]): void => at('app')(inspect(args[0]))
  const group = (...args: unknown[]): void => {
    if (args.length > 0) at('app')(...args)
    indent += '  '
  }
  const functions = {
    log: at('app'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    debug: at('debug'),
    dir,
    dirxml: at('app'),
    table: (...args: unknown[]) => at('app')(tables.show(args[0], args[1])),
    trace: (...args: unknown[]) => at('app')(`Trace: ${format(...args)}\n${framesOf(new Error().stack ?? '')}`),
    assert: (...all: unknown[]) => {
      if (all[0]) return
      const args = all.slice(1)
      const [first, ...rest] = args
      if (typeof first === 'string') at('error')(`Assertion failed: ${first}`, ...rest)
      else at('error')('Assertion failed', ...args)
    },
    /** A log has no screen to clear, but groups. */
    clear: () => {
      indent = ''
    },
    count: (...args: unknown[]) => {
      const label = labelOf(args)
      counts.set(label, (counts.get(label) ?? 0) + 1)
      at('app')(`${label}: ${counts.get(label)}`)
    },
    countReset: (...args: unknown[]) => {
      const label = labelOf(args)
      if (!counts.delete(label)) log.warn(`console: there is no count '${label}'`)
    },
    time: (...args: unknown[]) => {
      const label = labelOf(args)
      if (times.has(label)) log.warn(`console: the timer '${label}' runs already`)
      else times.set(label, now())
    },
    timeLog: (...args: unknown[]) => elapsed(labelOf(args), args.slice(1)),
    timeEnd: (...args: unknown[]) => {
      elapsed(labelOf(args), [])
      times.delete(labelOf(args))
    },
    group,
    groupCollapsed: group,
    groupEnd: () => {
      indent = indent.slice(2)
    },
  }
  // A namespace object: https://webidl.spec.whatwg.org/#js-namespaces , with the empty prototype that console has for compatibility.
  const console = Object.assign(Object.create({}), functions)
  return Object.defineProperty(console, Symbol.toStringTag, { value: 'console', configurable: true })
}

/** A domain that starts from now on has a console. */
export const addConsole = (): void => void makers.push(({ log, timers }) => ({ console: createConsole(log, () => timers.now()) }))
