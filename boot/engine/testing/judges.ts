/** Engines that run a program, the body of a function: what each prints is compared. */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { createEngine } from '../instance.ts'
import { type NativeResult, runNative } from '../native.ts'
import type { V8Request } from './v8-thread.ts'

/** What a program printed, one line each; undefined: it took too long. */
export type Judge = (program: string) => Promise<readonly string[] | undefined>

/** Of the JavaScript stack, as in the guest. */
const stackBytes = 65_536
/** Seconds for one program. They take a part of one. */
const LONGEST = 20
/** V8 multiplies numbers that are larger than QuickJS lets them become. */
const LONGEST_V8 = 2

/** What ended a program from outside of it. */
const ended = (why: string): string => `ended: ${why.split('\n')[0]}`

/** The engine's .wasm under V8. */
export const wasm: Judge = async program => {
  const lines: string[] = []
  const engine = await createEngine({ stackBytes })
  engine.define('print', text => {
    lines.push(String(text))
  })
  const { call, context } = engine
  const fn = engine.evaluate(`(function () {${program}\n})`, 'script.js')
  const noArguments = call.malloc(4)
  const result = call.QTS_Call(context, fn, call.QTS_GetUndefined(), 0, noArguments)
  const error = call.QTS_ResolveException(context, result)
  if (error !== 0) lines.push(ended(engine.text(error)))
  engine.drain()
  return lines
}

const native =
  (bodies: 'all' | 'none'): Judge =>
  async program =>
    linesOf(await runNative(program, { bodies, seconds: LONGEST }))

/** What a program printed, and how it ended; undefined: it took too long. */
export function linesOf({ stdout, stderr, status, signal }: NativeResult): readonly string[] | undefined {
  if (signal === 'SIGTERM') return undefined
  const lines = stdout === '' ? [] : stdout.replace(/\n$/, '').split('\n')
  return status === 0 ? lines : [...lines, ended(signal ?? stderr)]
}

/** The native engine, as a Linux program. */
export const interpreted = native('none')
/** The same, with all functions as machine code, joined from stencils. What gcc compiles is in compiled.test.ts: it takes seconds. */
export const joined = native('all')

let thread: Worker | undefined

let before: Promise<unknown> = Promise.resolve()

/** V8 itself, for what the standard says: see standard(). One program after the other: answers have no names. */
export const v8: Judge = program => {
  const result = before.then(() => runInV8(program))
  before = result.catch(() => {})
  return result
}

const runInV8: Judge = async program => {
  thread ??= new Worker(new URL('v8-thread.ts', import.meta.url))
  const current = thread
  current.ref()
  try {
    const answer = once(current, 'message')
    current.postMessage({ program, longest: LONGEST_V8 * 1000 } satisfies V8Request)
    return (await answer)[0]
  } catch (error) {
    thread = undefined
    throw error
  } finally {
    current.unref()
  }
}

/**
 * Of the engine, and of V8: where what the standard is about differs. That is without what each says in its own words, and only as long as both
 * have stack left.
 */
export function standard(engine: readonly string[], other: readonly string[]): string | undefined {
  const said = [engine, other].map(lines => lines.filter(line => !line.startsWith('~')))
  const overflows = said
    .flatMap(lines => lines.findIndex(line => /error "(InternalError|RangeError)"|not shown/.test(line)))
    .filter(at => at >= 0)
  const end = overflows.length > 0 ? Math.min(...overflows) : undefined
  return difference(said[0].slice(0, end), said[1].slice(0, end))
}

/** Where two runs part, for a person: the last lines before, and the first of each. undefined: they do not. */
export function difference(one: readonly string[], other: readonly string[]): string | undefined {
  const at = Array.from({ length: Math.max(one.length, other.length) }).findIndex((_, i) => one[i] !== other[i])
  if (at < 0) return undefined
  const before = one.slice(Math.max(0, at - 3), at).map(line => `    ${line}`)
  return [`line ${at + 1}:`, ...before, `  - ${one[at] ?? '(it has ended)'}`, `  + ${other[at] ?? '(it has ended)'}`].join('\n')
}
