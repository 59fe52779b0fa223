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
