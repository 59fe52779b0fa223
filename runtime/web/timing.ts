/**
 * Marks and measures: https://w3c.github.io/user-timing/ , https://w3c.github.io/performance-timeline/ . The buffer has a limit, which the
 * standard has not: a program that marks for ever and clears nothing would end by it.
 */
import { DOMException } from './dom-exception.ts'
import { Performance } from './performance.ts'
import { structuredClone } from './structured-clone.ts'

/** Entries of each kind that are kept; then the oldest go. */
const MAX_ENTRIES = 1000

const key = Symbol('only the runtime makes entries')

export class PerformanceEntry {
  readonly #name: string
  readonly #startTime: number
  readonly #duration: number

  constructor(given: symbol, name: string, startTime: number, duration: number) {
    if (given !== key) throw new TypeError('PerformanceEntry is not constructed; use performance.mark or performance.measure')
    this.#name = name
    this.#startTime = startTime
    this.#duration = duration
  }

  get name(): string {
    return this.#name
  }
  get entryType(): string {
    return this instanceof PerformanceMark ? 'mark' : 'measure'
  }
  get startTime(): number {
    return this.#startTime
  }
  get duration(): number {
    return this.#duration
  }
  toJSON(): object {
    const { name, entryType, startTime, duration } = this
    return { name, entryType, startTime, duration, detail: (this as { detail?: unknown }).detail }
  }
}

export interface MarkOptions {
  detail?: unknown
  /** Milliseconds, as of performance.now(). */
  startTime?: number
}

export class PerformanceMark extends PerformanceEntry {
  readonly #detail: unknown

  constructor(name: string, options: MarkOptions | null = {}) {
    if (arguments.length === 0) throw new TypeError('mark: the name is missing')
    const { startTime, detail } = dictionary(options)
    super(key, String(name), startTime === undefined ? performance.now() : timeOf(startTime), 0)
    this.#detail = detail === undefined || detail === null ? null : structuredClone(detail)
  }

  get detail(): unknown {
    return this.#detail
  }
}

export class PerformanceMeasure extends PerformanceEntry {
  readonly #detail: unknown

  constructor(given: symbol, name: string, start: number, end: number, detail: unknown) {
    super(given, name, start, end - start)
    this.#detail = detail === undefined || detail === null ? null : structuredClone(detail)
  }

  get detail(): unknown {
    return this.#detail
  }
}

function dictionary<T extends object>(value: T | null | undefined): Partial<T> {
  if (value === undefined || value === null) return {}
  if (typeof value !== 'object' && typeof value !== 'function') throw new TypeError(`${String(value)} must be an object with options`)
  return value
}

/** A DOMHighResTimeStamp. @throws TypeError for what is no finite number, or before the time's origin */
function timeOf(value: unknown): number {
  const time = Number(value)
  if (!Number.isFinite(time)) throw new TypeError(`${String(value)} is not a time in milliseconds`)
  if (time < 0) throw new TypeError(`${time} is a time before performance.timeOrigin: times must not be negative`)
  return time
}

/** In the order of their making. */
let marks: PerformanceMark[] = []
let measures: PerformanceMeasure[] = []

function keep<T>(list: T[], entry: T): T {
  if (list.length >= MAX_ENTRIES) list.shift()
  list.push(entry)
  return entry
}

/** A name of a mark, or a time. */
function resolve(mark: unknown): number {
  if (typeof mark === 'number') return timeOf(mark)
  const name = String(mark)
  const found = marks.findLast(one => one.name === name)
  if (found === undefined) throw new DOMException(`measure: there is no mark '${name}'`, 'SyntaxError')
  return found.startTime
}

export interface MeasureOptions {
  detail?: unknown
  start?: string | number
  end?: string | number
  duration?: number
}

function measure(name: string, given?: string | MeasureOptions | null, endMark?: string): PerformanceMeasure {
  if (name === undefined) throw new TypeError('measure: the name is missing')
  const isOptions = typeof given === 'object' && given !== null
  const { detail, start, end, duration }: MeasureOptions = isOptions
    ? given
    : { start: given === undefined || given === null ? undefined : String(given) }
  const isGiven = isOptions && [detail, start, end, duration].some(one => one !== undefined)
  if (isGiven) {
    if (endMark !== undefined) throw new TypeError('measure: the end stands in the options already: leave out the third argument')
    if (start === undefined && end === undefined) throw new TypeError('measure: the options must say start or end')
    if (start !== undefined && end !== undefined && duration !== undefined)
      throw new TypeError('measure: the options say start, end and duration: leave out one of them')
  }
  const last = endMark ?? end
  const to =
    last !== undefined
      ? resolve(last)
      : start !== undefined && duration !== undefined
        ? resolve(start) + timeOf(duration)
        : performance.now()
  const from = start !== undefined ? resolve(start) : duration !== undefined && last !== undefined ? to - timeOf(duration) : 0
  return keep(measures, new PerformanceMeasure(key, String(name), from, to, detail))
}

/** Of all kinds, by their times; those of the same time in the order of their making. */
const all = (): PerformanceEntry[] => [...marks, ...measures].sort((a, b) => a.startTime - b.startTime)

const without = <T extends PerformanceEntry>(list: readonly T[], name: string | undefined): T[] =>
  name === undefined ? [] : list.filter(one => one.name !== String(name))

const methods = {
  mark(name: string, options?: MarkOptions): PerformanceMark {
    if (arguments.length === 0) throw new TypeError('mark: the name is missing')
    return keep(marks, new PerformanceMark(name, options))
  },
  measure,
  clearMarks(name?: string): void {
    marks = without(marks, name)
  },
  clearMeasures(name?: string): void {
    measures = without(measures, name)
  },
  getEntries: (): PerformanceEntry[] => all(),
  getEntriesByType(type: string): PerformanceEntry[] {
    return all().filter(one => one.entryType === String(type))
  },
  getEntriesByName(name: string, type?: string): PerformanceEntry[] {
    return all().filter(one => one.name === String(name) && (type === undefined || one.entryType === String(type)))
  },
}

/** From now on `performance` has these. */
export function addTiming(): void {
  for (const [name, value] of Object.entries(methods))
    Object.defineProperty(Performance.prototype, name, { value, writable: true, enumerable: true, configurable: true })
}
