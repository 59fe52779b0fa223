import { describeError } from './format.ts'

/** The levels of a log line, most important first. `app` is what the program itself says. */
export type Level = 'app' | 'error' | 'warn' | 'info' | 'debug'

/** A log for one source. Each call is one line (further lines of a text are indented). */
export interface Log {
  app(text: string): void
  error(text: string): void
  warn(text: string): void
  info(text: string): void
  debug(text: string): void
}

/** A line that was written. */
export interface LogLine {
  /** Milliseconds since 1970-01-01 UTC. */
  readonly time: number
  readonly level: Level
  readonly source: string
  /** What was said: further lines are indented, control characters spelled out. */
  readonly message: string
  /** All of it, as on the console, without the newline. */
  readonly text: string
}

/** The log of a program, which can also see what all other sources say. */
export interface ProgramLog extends Log {
  /** The last hundred lines of all sources, oldest first. */
  recent(): LogLine[]
  /**
   * Calls `listener` with the lines of all sources as they are written, those of one turn together, until the returned function is called.
   * Lines that listeners cause while they run are written, but not given to them; a listener that throws is called no more.
   */
  tap(listener: (lines: readonly LogLine[]) => void): () => void
}

export const levels: readonly Level[] = ['app', 'error', 'warn', 'info', 'debug']
/** As they stand in a line. */
export const levelLabels: Readonly<Record<Level, string>> = { app: 'APP', error: 'ERR', warn: 'WRN', info: 'INF', debug: 'DBG' }

/** The least important level that is still written, for a source and everything below it (`net-xen` covers `net-xen:frontend`). */
export interface Threshold {
  /** `*` is every source that no other threshold names. */
  readonly source: string
  readonly level: Level
}

export interface LogOptions {
  /** Gets whole lines, each with its newline. */
  readonly write: (text: string) => void
  /** Milliseconds since 1970-01-01 UTC. */
  readonly now: () => number
  /** Lines kept for `recent`. */
  readonly keep?: number
}

/** Formats lines and writes them: `2026-11-22 18:29:54.123 -00:00: INF [net-xen:frontend] connect 0`. */
export class LogWriter {
  readonly #options: LogOptions
  readonly #logs = new Map<string, SourceLog>()
  readonly #ring: LogLine[] = []
  readonly #taps = new Set<(lines: readonly LogLine[]) => void>()
  /** Lines that the taps have not seen, no more than the ring has; undefined while they look at some. */
  #untold: LogLine[] | undefined = []
  readonly #keep: number
  #thresholds: readonly Threshold[] = []
  #next = 0

  constructor(options: LogOptions) {
    this.#options = options
    this.#keep = options.keep ?? 100
  }

  /** The log of a source: always the same object for the same name. */
  log(source: string): Log {
    let log = this.#logs.get(source)
    if (log === undefined) {
      log = new SourceLog(this, source, this.#levelOf(source))
      this.#logs.set(source, log)
    }
    return log
  }

  /** Replaces all thresholds; without one for `*` that is `info`. The longest matching source wins. */
  setThresholds(thresholds: readonly Threshold[]): void {
    this.#thresholds = thresholds
    for (const log of this.#logs.values()) log.threshold = this.#levelOf(log.source)
  }

  /** The same with a view of all other sources. */
  programLog(source: string): ProgramLog {
    const log = this.log(source)
    const at =
      (level: Level) =>
      (text: string): void =>
        log[level](text)
    return {
      app: at('app'),
      error: at('error'),
      warn: at('warn'),
      info: at('info'),
      debug: at('debug'),
      recent: () => this.recent(),
      tap: listener => this.tap(listener),
    }
  }

  /** See ProgramLog. */
  tap(listener: (lines: readonly LogLine[]) => void): () => void {
    const tap = (lines: readonly LogLine[]): void => listener(lines)
    this.#taps.add(tap)
    return () => {
      this.#taps.delete(tap)
    }
  }

  /** The last lines, oldest first. */
  recent(): LogLine[] {
    return [...this.#ring.slice(this.#next), ...this.#ring.slice(0, this.#next)]
  }

  /** Writes a line whatever the thresholds are. `level` is an index into `levels`. */
  line(level: number, source: string, text: string): void {
    const time = this.#options.now()
    const date = new Date(time).toISOString()
    const message = printable(text)
    const line = {
      time,
      level: levels[level],
      source,
      message,
      text: `${date.slice(0, 10)} ${date.slice(11, 23)} -00:00: ${levelLabels[levels[level]]} [${source}] ${message}`,
    }
    this.#ring[this.#next] = line
    this.#next = (this.#next + 1) % this.#keep
    this.#options.write(`${line.text}\n`)
    if (this.#taps.size > 0) this.#tell(line)
  }

  #tell(line: LogLine): void {
    const untold = this.#untold
    if (untold === undefined) return
    untold.push(line)
    if (untold.length > this.#keep) untold.shift()
    // Later: who writes a line, a driver perhaps, must not be in the middle of something when the program is called.
    if (untold.length === 1) void Promise.resolve().then(() => this.#flush())
  }

  #flush(): void {
    const lines = this.#untold ?? []
    this.#untold = undefined
    for (const tap of [...this.#taps]) {
      try {
        tap(lines)
      } catch (error) {
        this.#taps.delete(tap)
        this.line(1, 'log', `a listener of the log threw and will not be called again: ${describeError(error)}`)
      }
    }
    this.#untold = []
  }

  #levelOf(source: string): number {
    let best = ''
    let level: Level = 'info'
    for (const threshold of this.#thresholds) {
      const name = threshold.source
      const covers = name === '*' ? best === '' : (source === name || source.startsWith(`${name}:`)) && name.length >= best.length
      if (!covers) continue
      if (name !== '*') best = name
      level = threshold.level
    }
    return levels.indexOf(level)
  }
}

class SourceLog implements Log {
  readonly source: string
  threshold: number
  readonly #writer: LogWriter

  constructor(writer: LogWriter, source: string, threshold: number) {
    this.#writer = writer
    this.source = source
    this.threshold = threshold
  }

  app(text: string): void {
    this.#writer.line(0, this.source, text)
  }
  error(text: string): void {
    if (this.threshold >= 1) this.#writer.line(1, this.source, text)
  }
  warn(text: string): void {
    if (this.threshold >= 2) this.#writer.line(2, this.source, text)
  }
  info(text: string): void {
    if (this.threshold >= 3) this.#writer.line(3, this.source, text)
  }
  debug(text: string): void {
    if (this.threshold >= 4) this.#writer.line(4, this.source, text)
  }
}

/**
 * Further lines indented; control characters spelled out. A line may quote what a peer sent: it must not be able to forge another line
 * or to steer the terminal that shows the console.
 */
function printable(text: string): string {
  let clean = String(text).trimEnd()
  // log.error(error.stack) of what the engine itself threw: web/error-stack.ts cannot help it.
  if (clean.startsWith('    at ')) clean = `an error whose message is not in its stack; log the error itself\n${clean}`
  if (!/[\0-\x1f\x7f-\x9f]/.test(clean)) return clean
  return clean
    .replace(/\r?\n/g, '\n    ')
    .replace(/[\0-\x08\x0b-\x1f\x7f-\x9f]/g, character => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`)
}

/** Reads `--logs`: `net-xen:debug,*:info`, or a level alone for every source. Throws an Error whose text says what is wrong. */
export function parseThresholds(text: string): Threshold[] {
  return text.split(',').map(part => {
    const at = part.lastIndexOf(':')
    const source = at < 0 ? '*' : part.slice(0, at)
    const level = part.slice(at + 1) as Level
    if (source === '' || !levels.includes(level)) {
      throw new Error(`'${part}' is not SOURCE:LEVEL; write for example net-xen:debug,*:info (levels: ${levels.join(', ')})`)
    }
    return { source, level }
  })
}

/**
 * A log for things that a peer can cause as often as it likes: at most `burst` lines of a level in `interval` milliseconds, then one
 * line that tells how many were left out.
 */
export function limitedLog(log: Log, now: () => number, { burst = 10, interval = 10_000 } = {}): Log {
  const limited = (level: Level): ((text: string) => void) => {
    let start = -Infinity
    let count = 0
    return text => {
      const time = now()
      if (time - start >= interval) {
        if (count > burst) log[level](`${count - burst} more lines like this were left out`)
        start = time
        count = 0
      }
      if (++count <= burst) log[level](text)
    }
  }
  return { app: limited('app'), error: limited('error'), warn: limited('warn'), info: limited('info'), debug: limited('debug') }
}
