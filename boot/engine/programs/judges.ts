/** Engines that run a program: what each prints is compared. */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { engineFolder } from '../build.ts'
import { createEngine } from '../instance.ts'
import type { TestProgram } from './program.ts'
import type { V8Request } from './v8-thread.ts'

/** What a program printed, one line each; undefined: it took too long. */
export type Judge = (program: TestProgram) => Promise<readonly string[] | undefined>

/** Of the JavaScript stack, as in the guest. */
const stackBytes = 65_536
/** Milliseconds for one program. They take a few. */
const LONGEST = 20_000
/** V8 multiplies numbers that are larger than QuickJS lets them become. */
const LONGEST_V8 = 2_000

/** What ended a program from outside of it. */
const ended = (why: string): string => `ended: ${why.split('\n')[0]}`

/** The engine's .wasm under V8. */
export const wasm: Judge = async ({ setup, start }) => {
  const lines: string[] = []
  const engine = await createEngine({ stackBytes })
  engine.define('print', text => {
    lines.push(String(text))
  })
  try {
    engine.evaluate(setup, 'setup.js')
    engine.drain()
    engine.evaluate(start, 'start.js')
    engine.drain()
  } catch (error) {
    lines.push(ended((error as Error).message))
  }
  return lines
}

/** The native engine, as a Linux program. */
export const native: Judge = async ({ setup, start }) => {
  const folder = mkdtempSync(join(tmpdir(), 'xen-ts-programs-'))
  try {
    writeFileSync(join(folder, 'setup.js'), setup)
    writeFileSync(join(folder, 'start.js'), start)
    return await run(join(engineFolder, 'host'), [join(engineFolder, 'memory.bin'), 'setup.js', 'start.js'], folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** What a program of the host prints, with how it ended if it did so early. */
export function run(host: string, args: readonly string[], cwd: string): Promise<readonly string[] | undefined> {
  return new Promise((resolve, reject) => {
    execFile(host, args, { cwd, timeout: LONGEST, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      const lines = stdout === '' ? [] : stdout.replace(/\n$/, '').split('\n')
      if (error === null) resolve(lines)
      else if (error.code === 'ENOENT') reject(error)
      else if (error.killed) resolve(undefined)
      else resolve([...lines, ended(error.signal ?? stderr)])
    })
  })
}

let thread: Worker | undefined

/** V8 itself, for what the standard says: see standard(). One program at a time. */
export const v8: Judge = async program => {
  thread ??= new Worker(new URL('v8-thread.ts', import.meta.url))
  const current = thread
  current.ref()
  try {
    const answer = once(current, 'message')
    current.postMessage({ program, longest: LONGEST_V8 } satisfies V8Request)
    return (await answer)[0]
  } catch (error) {
    thread = undefined
    throw error
  } finally {
    current.unref()
  }
}

/** What the standard is about: without what each engine says in its own words, and only as long as both have stack left. */
export function standard(lines: readonly string[]): string[] {
  const overflow = lines.findIndex(line => /^caught error "(InternalError|RangeError)"/.test(line))
  return lines.slice(0, overflow < 0 ? undefined : overflow).filter(line => !line.startsWith('~'))
}

/** Where two runs part, for a person: the last lines before, and the first of each. undefined: they do not. */
export function difference(one: readonly string[], other: readonly string[]): string | undefined {
  const at = Array.from({ length: Math.max(one.length, other.length) }).findIndex((_, i) => one[i] !== other[i])
  if (at < 0) return undefined
  const before = one.slice(Math.max(0, at - 3), at).map(line => `    ${line}`)
  return [`line ${at + 1}:`, ...before, `  - ${one[at] ?? '(it has ended)'}`, `  + ${other[at] ?? '(it has ended)'}`].join('\n')
}
