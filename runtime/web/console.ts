/**
 * console, on a log: https://console.spec.whatwg.org . log is what the program itself says (APP), the others are the levels of
 * their names.
 */
import { format, inspect } from '../format.ts'
import type { Log } from '../log.ts'

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
  return {
    log: at('app'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    debug: at('debug'),
    dir: (value: unknown) => at('app')(inspect(value)),
    table: (value: unknown) => at('app')(inspect(value)),
    trace: (...args: unknown[]) => at('debug')(`Trace: ${format(...args)}\n${new Error().stack ?? ''}`),
    assert: (condition: unknown, ...args: unknown[]) => {
      if (!condition) at('error')('Assertion failed', ...args)
    },
    count: (label = 'default') => {
      counts.set(label, (counts.get(label) ?? 0) + 1)
      at('app')(`${label}: ${counts.get(label)}`)
    },
    countReset: (label = 'default') => void counts.delete(label),
    time: (label = 'default') => void times.set(label, now()),
    timeLog: (label = 'default', ...rest: unknown[]) => elapsed(label, rest),
    timeEnd: (label = 'default') => {
      elapsed(label, [])
      times.delete(label)
    },
    group: (...args: unknown[]) => {
      if (args.length > 0) at('app')(...args)
      indent += '  '
    },
    groupEnd: () => {
      indent = indent.slice(2)
    },
  }
}
