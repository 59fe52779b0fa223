/**
 * How many inputs properties get, and from which seed. Few in unit tests, and as many as `npm run fuzz` says; the only place that reads it.
 * A failure names the command that repeats it.
 */
import fc, { type Parameters } from 'fast-check'

/** The guest's engine has no process, and no count: few there, as it is slow. suite.ts hands the seed over. */
const environment: Readonly<Record<string, string | undefined>> = globalThis.process?.env ?? (globalThis as object)
const wanted = number('XEN_TS_FUZZ')
const fromSeed = number('XEN_TS_FUZZ_SEED')

function number(name: string): number | undefined {
  const text = environment[name]
  if (text === undefined || text === '') return undefined
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError(`${name} is ${JSON.stringify(text)}: it must be a whole number`)
  return value
}

export interface Runs {
  /** Inputs of unit tests. */
  readonly few?: number
  /** How many of the others one input of this property is worth: a whole connection, a whole life of a device. */
  readonly cost?: number
  /** Of unit tests, so that they are always the same. */
  readonly seed?: number
}

/** Inputs of something that takes its own: see Runs. */
export function inputs({ few = 100, cost = 1 }: Runs = {}): number {
  return wanted === undefined ? few : Math.max(few, Math.ceil(wanted / cost))
}

/** The seed to begin with. */
export function firstSeed(runs: Runs = {}): number {
  if (fromSeed !== undefined) return fromSeed
  return (wanted === undefined ? runs.seed : undefined) ?? Math.floor(Math.random() * 0x7fffffff)
}

/** What fc.assert takes as its second argument. */
export function runs<T>(options: Runs = {}): Parameters<T> {
  const again = repeat(new Error().stack)
  return {
    numRuns: inputs(options),
    seed: firstSeed(options),
    reporter(details) {
      if (!details.failed) return
      const message = `${fc.defaultReportMessage(details)}\n${again(details.seed)}`
      throw new Error(message, { cause: details.errorInstance })
    },
  }
}

/** The command that repeats a failure, from the stack of who asks: the first test file in it is meant. */
export function repeat(stack = ''): (seed: number) => string {
  const file = /[^\s()]*\.test\.ts/.exec(stack)?.[0].replace(/^file:\/\//, '') ?? 'FILE'
  const here = `${globalThis.process?.cwd()}/`
  const path = file.startsWith(here) ? file.slice(here.length) : file
  const many = wanted === undefined ? '' : `XEN_TS_FUZZ=${wanted} `
  return seed => `Again: ${many}XEN_TS_FUZZ_SEED=${seed} npx ava ${path}`
}
