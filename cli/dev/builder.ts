/** What `xen-ts dev` builds and runs. */

export interface Built {
  /** The script. */
  readonly file: string
  /** Whether it is another one than the last. */
  readonly changed: boolean
  readonly warnings: readonly string[]
}

export interface Builder {
  /** @throws CliError for a program that cannot be built */
  build(): Promise<Built>
  dispose(): Promise<void>
}

/** A program that runs. */
export interface Life {
  /** Of localhost: leads to port 80 of the program. */
  readonly port: number
  /** When it has ended: in which way, in words. */
  readonly ended: Promise<string>
  /** Ends it, in good order if it does so soon. Resolves when it has gone. */
  stop(): Promise<void>
}

export interface Events {
  /** A line that the program wrote on standard error. */
  onLine(line: string): void
  /** The program takes requests, at this port of localhost. */
  onListening(port: number): void
}

export interface Runner {
  start(file: string, events: Events): Promise<Life>
  dispose(): Promise<void>
}
