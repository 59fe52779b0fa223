/**
 * Arguments a program declares, typed: `args: { greeting: arg.string({ default: 'Hello', doc: 'what the front page says' }) }`. Values come
 * from the kernel command line (`--greeting=Hi`, `greeting=Hi`), then from the target's settings (QubesDB /vm-config), then the default.
 */
import { nearest } from './nearest.ts'
import { UsageError } from './usage-error.ts'
import { isForeign, splitWords } from './words.ts'

export interface Arg<T> {
  /** What a value looks like in --help: `TEXT`, `NUMBER`, `a|b`. */
  readonly shape: string
  readonly doc: string
  readonly default: T | undefined
  readonly required: boolean
  /** Reads one value; throws an Error whose text ends the sentence "--name: 'x' ...". */
  readonly parse: (text: string) => T
  /** May be given several times: the values are joined. */
  readonly repeats: boolean
  /** `--name` alone means this text. */
  readonly bare: string | undefined
  /** Other names, which are not listed. */
  readonly also: readonly string[]
  /** Arguments that this one stands in the place of: those of less weight (defaults of an image) do not count beside it, nor it beside them. */
  readonly instead: readonly string[]
}

export type ArgTable = Readonly<Record<string, Arg<any>>>
/** The values of a table: what has no default and is not required may be undefined. */
export type ArgValues<A extends ArgTable> = { readonly [K in keyof A]: A[K] extends Arg<infer T> ? T : never }

interface Options<T> {
  /** One line for --help. */
  doc: string
  default?: T
  /** Without a value the program does not start. */
  required?: boolean
  /** Other names that mean the same, as they are written: `['ip', 'old-name']`. */
  also?: readonly string[]
  /** Keys of arguments that it stands in the place of. */
  instead?: readonly string[]
}
/** The type of a value: T when there always is one. */
type Value<T, O> = O extends { default: T } | { required: true } ? T : T | undefined

function make<T, O extends Options<T>>(shape: string, options: O, parse: (text: string) => T, more?: Partial<Arg<T>>): Arg<Value<T, O>> {
  if (typeof options?.doc !== 'string') throw new TypeError('arg: doc is missing; it is what --help shows')
  if (options.required && options.default !== undefined)
    throw new TypeError(`arg '${options.doc}': required and default cannot be given together`)
  const { doc, default: value, required = false, also = [], instead = [] } = options
  return { shape, doc, default: value, required, parse, repeats: false, bare: undefined, also, instead, ...more } as Arg<any>
}

const truths: Record<string, boolean> = { true: true, yes: true, on: true, 1: true, false: false, no: false, off: false, 0: false }

export const arg = {
  string: <const O extends Options<string>>(options: O) => make<string, O>('TEXT', options, text => text),

  /** A finite number. `min` and `max` are allowed themselves; `integer` refuses fractions. */
  number<const O extends Options<number> & { min?: number; max?: number; integer?: boolean }>(options: O): Arg<Value<number, O>> {
    const { min = -Infinity, max = Infinity, integer = false } = options
    return make<number, O>('NUMBER', options, text => {
      const value = /^[-+]?(\d+\.?\d*(e[-+]?\d+)?|\.\d+|0x[\da-f]+)$/i.test(text) ? Number(text) : NaN
      if (Number.isNaN(value)) throw new Error('is not a number')
      if (integer && !Number.isInteger(value)) throw new Error('is not a whole number')
      if (value < min) throw new Error(`is less than ${min}`)
      if (value > max) throw new Error(`is more than ${max}`)
      return value
    })
  },

  boolean: <const O extends Options<boolean>>(options: O) =>
    make<boolean, O>(
      'yes|no',
      options,
      text => {
        if (!Object.hasOwn(truths, text)) throw new Error('is neither yes nor no')
        return truths[text]
      },
      { bare: 'true' },
    ),

  /** One of a few words. */
  choice<const C extends string, const O extends Options<NoInfer<C>>>(choices: readonly C[], options: O): Arg<Value<C, O>> {
    return make<C, O>(choices.join('|'), options, text => {
      if ((choices as readonly string[]).includes(text)) return text as C
      const meant = nearest(text, choices)
      throw new Error(`is not one of ${choices.join(', ')}${meant === undefined ? '' : `; did you mean ${meant}?`}`)
    })
  },

  /** Several texts: `--dns=10.0.0.1,10.0.0.2`, or the option several times. Empty when not given. */
  list({ default: value = [], ...options }: Options<readonly string[]>): Arg<readonly string[]> {
    return make<readonly string[], any>(
      'TEXT,...',
      { ...options, default: options.required ? undefined : value },
      text =>
        text
          .split(',')
          .map(part => part.trim())
          .filter(part => part !== ''),
      { repeats: true },
    ) as Arg<readonly string[]>
  },
}

/** `maxSize` is written `--max-size`. */
export const optionName = (key: string): string => key.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)

/** Reads a command line and settings against a table. */
export class ArgReader {
  readonly #table: ArgTable
  readonly #keys = new Map<string, string>()
  readonly #others = new Map<string, string>()
  readonly #given = new Map<string, unknown>()
  /** Of those, what only defaults say. */
  readonly #weak = new Set<string>()
  readonly #problems: string[] = []

  constructor(table: ArgTable) {
    this.#table = table
    for (const key of Object.keys(table)) {
      if (!/^[A-Za-z][A-Za-z0-9]*$/.test(key))
        throw new UsageError(`argument name '${key}': use letters and digits, beginning with a letter`)
      this.#keys.set(optionName(key), key)
      for (const other of table[key].also) this.#others.set(other, key)
    }
  }

  /** Takes a kernel's command line: options of Linux on it are not ours. Problems are collected; `values` throws them. */
  commandLine(line: string): void {
    this.words(splitWords(line), isForeign)
  }

  /** The same with the words of a shell. */
  words(words: readonly string[], isForeign: (word: string) => boolean = () => false): void {
    for (const word of words) {
      const [, dashes, name, value] = split(word)
      const key = this.#keyOf(name)
      if (key !== undefined) this.#take(key, value ?? this.#table[key].bare, '')
      else if (dashes !== '' || !isForeign(word)) this.#problems.push(this.#unknown(word, name))
    }
  }

  /** Takes settings for what the command line left open. Names nobody declared come back as sentences: others may own them. */
  settings(map: ReadonlyMap<string, string>): string[] {
    const hints: string[] = []
    const before = new Set([...this.#given.keys()].filter(key => !this.#weak.has(key)))
    for (const [name, value] of map) {
      const key = this.#keyOf(name)
      if (key === undefined) hints.push(this.#unknown(name, name))
      else if (!before.has(key)) {
        if (this.#weak.delete(key)) this.#given.delete(key)
        this.#take(key, value, ' (from the settings)')
      }
    }
    return hints
  }

  /** Takes words for what all before left open, and which has nothing before in its place. Those of an image, say. */
  defaults(words: readonly string[]): void {
    const before = new Map(this.#given)
    for (const word of words) {
      const [, , name, value] = split(word)
      const key = this.#keyOf(name)
      if (key === undefined) this.#problems.push(this.#unknown(word, name))
      else if (!before.has(key) && !this.#isReplaced(key, before)) {
        this.#weak.add(key)
        this.#take(key, value ?? this.#table[key].bare, ' (from the image)')
      }
    }
  }

  /** Whether a value that was given stands in the place of a key's. `dhcp=no` stands in no one's. */
  #isReplaced(key: string, given: ReadonlyMap<string, unknown>): boolean {
    const { instead } = this.#table[key]
    return [...given].some(
      ([other, value]) => value !== false && value !== '' && (instead.includes(other) || this.#table[other].instead.includes(key)),
    )
  }

  /** The value read so far, or the default: for what is needed before everything is read. */
  peek(key: string): unknown {
    return this.#given.has(key) ? this.#given.get(key) : this.#table[key].default
  }

  /** All values of the keys of `table`. Throws a UsageError that lists every problem. */
  values(table: ArgTable = this.#table): Record<string, any> {
    const problems = [...this.#problems]
    const result: Record<string, unknown> = {}
    for (const key of Object.keys(table)) {
      result[key] = this.peek(key)
      if (result[key] !== undefined || !table[key].required) continue
      const option = `--${optionName(key)}`
      problems.push(`${option} is missing: ${table[key].doc}; add ${option}=${table[key].shape}`)
    }
    if (problems.length > 0) throw new UsageError(`${problems.join('\n')}\n--help lists all arguments`)
    return result
  }

  /** Throws what is wrong so far. */
  check(): void {
    this.values({})
  }

  /** Whether there is an argument that is written so. */
  knows(name: string): boolean {
    return this.#keyOf(name) !== undefined
  }

  #keyOf(name: string): string | undefined {
    return this.#keys.get(name) ?? this.#others.get(name) ?? (Object.hasOwn(this.#table, name) ? name : undefined)
  }

  #take(key: string, text: string | undefined, where: string): void {
    const { parse, repeats, shape } = this.#table[key]
    const option = `--${optionName(key)}`
    if (text === undefined) {
      this.#problems.push(`${option} has no value; write ${option}=${shape}`)
      return
    }
    try {
      const value = parse(text)
      if (!this.#given.has(key)) this.#given.set(key, value)
      else if (repeats) this.#given.set(key, [...(this.#given.get(key) as unknown[]), ...value])
      else this.#problems.push(`${option} is given twice; keep one`)
    } catch (error) {
      this.#problems.push(`${option}: '${text}' ${(error as Error).message}${where}`)
    }
  }

  #unknown(word: string, name: string): string {
    const meant = nearest(name, this.#keys.keys())
    return `unknown argument ${word}${meant === undefined ? '' : `; did you mean --${meant}?`}`
  }
}

/** Of `--name=value`. */
const split = (word: string) => /^(-*)([^=]*)(?:=([^]*))?$/.exec(word) as unknown as [string, string, string, string | undefined]

/** The text of --help. */
export function helpText(name: string, tables: Readonly<Record<string, ArgTable>>, where = 'on the kernel command line'): string {
  const lines: string[] = []
  for (const [title, table] of Object.entries(tables)) {
    const rows = Object.entries(table).map(([key, { shape, doc, default: value, required, bare }]) => {
      const note = required ? ' (required)' : value === undefined || value?.length === 0 ? '' : ` (default: ${value})`
      return [`  --${optionName(key)}${bare === undefined ? '=' : '[='}${shape}${bare === undefined ? '' : ']'}`, `${doc}${note}`]
    })
    if (rows.length === 0) continue
    const width = Math.max(...rows.map(([option]) => option.length))
    lines.push('', `${title}:`, ...rows.map(([option, doc]) => `${option.padEnd(width)}  ${doc}`))
  }
  return `${name}: arguments, ${where}\n${lines.join('\n')}\n`
}
