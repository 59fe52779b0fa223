/** The machine that a process under Node is: its clocks, timers and randomness, and a log. Tests put their own in the place of each. */
import { compiledAbi, memoryAbi } from '@xen-ts/boot/memory'
import { type Level, type Log, levelLabels } from '../log.ts'
import type { HostFunctions, Machine, Timers } from '../machine.ts'

export interface HostOptions {
  /** Monotonic milliseconds. Default: since the process began. */
  readonly now?: () => number
  /** Milliseconds since 1970. Default: Date's. */
  readonly wall?: () => number
  /** Fills with random bytes. Default: those of Web Crypto. */
  readonly random?: (into: Uint8Array) => void
}

/** The kernel's functions that need no Xen, with its checks and errors. */
export function hostFunctions({ now = elapsed, wall = Date.now, random = randomBytes }: HostOptions = {}): HostFunctions {
  const { copy, checksum, utf8Encode, utf8Decode, latin1Decode } = memoryAbi
  return { ...compiledAbi, copy, checksum, utf8Encode, utf8Decode, latin1Decode, random, clockMonotonic: now, clockWall: wall }
}

/** Node's timers. @param speed how much faster than the clock they run: tests need not wait for pauses of seconds */
export function nodeTimers(speed = 1): Timers {
  return {
    now: () => elapsed() * speed,
    set(delay, run) {
      const timer = setTimeout(run, Math.max(0, delay / speed)) // Node warns of less
      return { cancel: () => clearTimeout(timer) }
    },
  }
}

/** Logs whose lines are `INF [source] text`, whatever the level. */
export function lineLog(write: (line: string) => void): Machine['log'] {
  return source => {
    const at =
      (level: Level) =>
      (text: string): void =>
        write(`${levelLabels[level]} [${source}] ${text}`)
    return { app: at('app'), error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') } satisfies Log
  }
}

export interface NodeMachineOptions extends HostOptions {
  readonly timers?: Timers
  /** Takes each line of the log. Default: none is kept. */
  readonly write?: (line: string) => void
}

export function nodeMachine({ timers = nodeTimers(), write = () => {}, ...host }: NodeMachineOptions = {}): Machine {
  return { abi: hostFunctions(host), timers, log: lineLog(write) }
}

const elapsed = (): number => performance.now()

/** The most that getRandomValues gives at once (Web Cryptography, section 10.1.1). */
const QUOTA = 65_536

function randomBytes(into: Uint8Array): void {
  for (let at = 0; at < into.length; at += QUOTA) crypto.getRandomValues(into.subarray(at, at + QUOTA) as Uint8Array<ArrayBuffer>)
}
