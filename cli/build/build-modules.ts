/**
 * Modules that run while the program is built: `import { posts } from './posts.build.ts'`. What NAME.build.ts (or .js) exports, data only,
 * is in the program instead of the module: it may read files and use any package, and none of that is in the image. It runs in a Node of
 * its own, this same file as its main module, so that what it does to its process it does to nobody else.
 */
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, statSync, writeSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { BuildFailure, PartialMessage, Plugin } from 'esbuild'
import type { Project } from './project.ts'
import { joinReads, noReads, type Reads, watchReads } from './reads.ts'

interface Problem {
  readonly problem: string
  /** Of the export that is no data. */
  readonly name?: string
  /** Of what was thrown. */
  readonly stack?: string
}
type Outcome = ({ readonly code: string } | Problem) & {
  /** What it read; not given when it has ended its process. */
  readonly reads?: Reads
}

/** What the modules of a project gave. */
const known = new WeakMap<Project, Map<string, Promise<Outcome>>>()

/** They run anew with the next build. */
export const forgetBuildModules = (project: Project): void => void known.get(project)?.clear()

/** What those have read that ran since: whatever of it changes, they may give something else. */
export async function readByBuildModules(project: Project): Promise<Reads> {
  const outcomes = await Promise.all(known.get(project)?.values() ?? [])
  return joinReads(outcomes.map(({ reads = noReads }) => reads))
}

/** A build, which finds its project once, runs each module once, however often it bundles. */
export function buildModules(project: Project): Plugin {
  const outcomes = known.get(project) ?? new Map<string, Promise<Outcome>>()
  known.set(project, outcomes)
  return {
    name: 'build-modules',
    setup(build) {
      build.onLoad({ filter: /\.build\.[cm]?[jt]s$/, namespace: 'file' }, async ({ path }) => {
        try {
          // Node says of what it cannot read neither line nor column.
          await build.esbuild.transform(readFileSync(path), {
            loader: path.endsWith('ts') ? 'ts' : 'js',
            sourcefile: path,
            logLevel: 'silent',
          })
        } catch (error) {
          return { errors: (error as BuildFailure).errors }
        }
        if (!outcomes.has(path)) outcomes.set(path, outcomeOf(path, project))
        const outcome = await outcomes.get(path)!
        return 'code' in outcome ? { contents: outcome.code, loader: 'js' } : { errors: [message(path, outcome)] }
      })
    },
  }
}

const DATA = 'such a module runs while the program is built, and gives it data: strings, numbers, booleans, null, arrays and plain objects'
const RUNS = 'such a module runs in Node while the program is built; node FILE runs it alone'

/** What the child's main module is given its answer by: a file descriptor, since the module may print. */
const ANSWER = 3

/** What a module of xen-ts gave, and the files that it was made from, by their sums. */
interface Kept {
  readonly code: string
  readonly reads: Reads
  readonly sums: Readonly<Record<string, string>>
}

/** Those of xen-ts depend on nothing but files and Node, so that they need not run for each build. */
async function outcomeOf(path: string, { root }: Project): Promise<Outcome> {
  const [{ isOwn }, { Cache, sha256 }] = await Promise.all([import('./own.ts'), import('./cache.ts')])
  if (!isOwn(path)) return run(path)
  const sumOf = (file: string): string => {
    try {
      return statSync(file).isDirectory() ? sha256(...readdirSync(file).sort()) : sha256(readFileSync(file))
    } catch {
      return ''
    }
  }
  const cache = new Cache<Kept>(root, `module-${sha256(path).slice(0, 16)}`)
  const key = sha256(process.version, path, readFileSync(path))
  const kept = cache.known(key)
  if (kept !== undefined && Object.entries(kept.sums).every(([file, sum]) => sumOf(file) === sum)) return kept
  const outcome = await run(path)
  if ('code' in outcome && outcome.reads !== undefined && outcome.reads.trees.length === 0) {
    const { code, reads } = outcome
    const files = [...reads.files, ...reads.folders, ...reads.installed]
    cache.set(key, { code, reads, sums: Object.fromEntries(files.map(file => [file, sumOf(file)])) })
    cache.save()
  }
  return outcome
}

async function run(path: string): Promise<Outcome> {
  // Not at the top, which is that of the child's own module.
  const { withCompileCache } = await import('@xen-ts/boot')
  // What it prints is for the person who builds; standard output may be JSON.
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), path], {
    stdio: ['ignore', 2, 2, 'pipe'],
    env: withCompileCache(),
  })
  let answer = ''
  const pipe = child.stdio[ANSWER] as NodeJS.ReadableStream
  pipe.setEncoding('utf8').on('data', (text: string) => {
    answer += text
  })
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve))
  return answer === '' ? { problem: `${basename(path)} ended its process (${code}) before it was done` } : JSON.parse(answer)
}

function message(path: string, { problem, name, stack }: Problem): PartialMessage {
  const lines = readFileSync(path, 'utf8').split('\n')
  const [, line, column] = new RegExp(`${RegExp.escape(pathToFileURL(path).href)}:(\\d+)(?::(\\d+))?`).exec(stack ?? '') ?? []
  // Of a value it is known which export has it.
  const exported = lines.findIndex(text => name !== undefined && text.startsWith('export') && text.includes(name))
  const at = line === undefined ? Math.max(exported, 0) : Number(line) - 1
  return {
    text: problem,
    notes: [{ text: name === undefined ? RUNS : DATA }],
    location: { file: path, line: at + 1, column: Number(column ?? 1) - 1, lineText: lines[at] },
  }
}

/** A module with these exports. @throws TypeError for what is no data, with its place */
export function dataModule(exports: Readonly<Record<string, unknown>>): string {
  const entries = Object.entries(exports)
  return entries
    .map(([name, value], i) => `const _${i} = ${literal(value, name, [])}\nexport { _${i} as ${JSON.stringify(name)} }\n`)
    .join('')
}

function literal(value: unknown, at: string, above: readonly object[]): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value)
  if (value === undefined) return 'undefined'
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value)
  if (typeof value !== 'object') throw new TypeError(`${at} is a ${typeof value}`)
  if (above.includes(value)) throw new TypeError(`${at} contains itself`)
  const within = [...above, value]
  if (Array.isArray(value)) return `[${Array.from(value, (one, i) => literal(one, `${at}[${i}]`, within)).join(', ')}]`
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== null && prototype !== Object.prototype)
    throw new TypeError(`${at} is a ${prototype.constructor?.name ?? 'class instance'}`)
  // Computed keys: one that is called __proto__ is a key like others.
  const parts = Object.entries(value).map(([key, one]) => `[${JSON.stringify(key)}]: ${literal(one, `${at}.${key}`, within)}`)
  return `{ ${parts.join(', ')} }`
}

async function answer(path: string): Promise<Outcome> {
  let exports: Record<string, unknown>
  try {
    exports = await import(pathToFileURL(path).href)
  } catch (error) {
    const { stack = '' } = error instanceof Error ? error : {}
    return { problem: `${basename(path)} could not be run: ${error}`, stack }
  }
  try {
    return { code: dataModule(exports) }
  } catch (error) {
    const { message } = error as Error
    return { problem: `${basename(path)}: ${message}`, name: /^[\w$]+/.exec(message)?.[0] }
  }
}

if (import.meta.main) {
  const reads = watchReads()
  const outcome = await answer(process.argv[2])
  const text = Buffer.from(JSON.stringify({ ...outcome, reads: reads() }))
  for (let sent = 0; sent < text.length; ) sent += writeSync(ANSWER, text, sent)
  process.exit()
}
