/** What `xen-ts dev` builds and runs. */
import type { Reach } from './front.ts'

export interface Built {
  /** The script, or the image. */
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
  /** What is known of where it can be reached before it says so itself. */
  readonly reach: Reach
  /** When it has ended: in which way, in words. */
  readonly ended: Promise<string>
  /** Ends it, in good order if it does so soon. Resolves when it has gone. */
  stop(): Promise<void>
}

export interface Events {
  /** A line of the program's log. */
  onLine(line: string): void
  /** The program takes requests, at this port of localhost. */
  onListening(port: number): void
  /** It has not said that it does, for a while: if it does, then at this port. */
  onSilence(port: number): void
}

export interface Runner {
  start(file: string, events: Events): Promise<Life>
  dispose(): Promise<void>
}
