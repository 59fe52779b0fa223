/**
 * What a program needs, found out before anything boots: it is bundled with nothing but its descriptions, and its module is evaluated: in
 * the guest's engine, or, for a target that becomes a process, in a Node of its own. Its top level runs, its `start` does not.
 */
import { spawn } from 'node:child_process'
import { relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { originalPositionFor, TraceMap } from '@jridgewell/trace-mapping'
import { evaluateInEngine, inspectSnapshot } from '@xen-ts/boot'
import type { Examined, Problem } from '@xen-ts/runtime/examine'
import { type BuildOptions, build } from 'esbuild'
import { CliError } from '../errors.ts'
import { assetTable, assetUses } from './assets.ts'
import { MAIN, optionsFor, readProgram, reported } from './bundle.ts'
import { networkKinds } from './facts.ts'
import { webParts } from './image-bundle.ts'
import { isOwn } from './own.ts'
import { placedDevices } from './plugins.ts'
import { positionsOf, showPlace } from './positions.ts'
import { processOptions, SCRIPT_END } from './process-bundle.ts'
import type { Project } from './project.ts'
import { factsOf } from './sections.ts'
import { treeOf, walk } from './syntax.ts'
import { usedGlobals } from './target-globals.ts'
import type { FoundTarget } from './targets.ts'
import { programCode } from './web-names.ts'

/** How long (ms) the top level of a program may take. */
const LONGEST = 60_000

export interface ExamineRequest {
  /** Words of a command line that count less than what the program is started with, the strongest first. */
  readonly words?: readonly (readonly string[])[]
  /** The program's text, where it was read already. */
  readonly code?: string
  /** Whether folders of assets are read, for what is said of them. */
  readonly assets?: boolean
}

/** A problem with its place in the sources. */
export interface PlacedProblem extends Problem {
  /** File, line and caret; undefined when nothing of the program is on the stack. */
  readonly where: string | undefined
}

export type Examination = (Examined & { readonly globals: readonly string[] }) | PlacedProblem

export const isProblem = (found: Examination): found is PlacedProblem => 'of' in found

/** @throws CliError for a program that cannot be bundled, or does not end */
export async function examineProgram(project: Project, target: FoundTarget, request: ExamineRequest = {}): Promise<Examination> {
  const { name, root, entry } = project
  const isProcess = target.becomes === 'process'
  const modules = new Map<string, string>()
  const options = isProcess ? processOptions(project, modules) : optionsFor(project, modules)
  const code =
    request.code ?? (await (isProcess ? reported(project, target, () => programCode(entry, options)) : readProgram(project, target)))
  const facts = factsOf(code, project)
  networkKinds(facts, relative(process.cwd(), entry)) // throws when there is no program
  const globals = isProcess ? [] : usedGlobals(facts, target.globals ?? [])
  const { words = [] } = request
  const given = JSON.stringify({ name, elsewhere: target.elsewhere, words }).slice(1)
  const host = isProcess ? 'examineProcess' : 'examineGuest'
  const main = [
    ...(isProcess ? [] : (await webParts(code, root)).imports),
    `import { ${host} } from ${JSON.stringify(fileURLToPath(import.meta.resolve(isProcess ? '@xen-ts/runtime/examine/node' : '@xen-ts/runtime/examine/guest')))}`,
    `import { target } from ${JSON.stringify(target.module)}`,
    `${host}({ target, program: () => import(${JSON.stringify(entry)}), ${given}${isProcess ? '' : `, ${JSON.stringify(globals)}`})`,
  ].join('\n')
  const whole: BuildOptions = {
    ...options,
    stdin: { contents: main, resolveDir: root, sourcefile: MAIN, loader: 'ts' },
    plugins: [placedDevices(), ...(options.plugins ?? [])],
  }
  const { outputFiles } = await reported(project, target, () => build({ ...whole, sourcemap: 'external', write: false }))
  const text = (ending: string) => outputFiles!.find(file => file.path.endsWith(ending))?.text ?? ''
  const [script, map] = [text('.js'), text('.map')]
  const files = request.assets ? assetsOf(script, map, root, modules) : '{ get: () => ({}) }'
  const file = `${name}.js`
  const run = isProcess ? evaluateInNode(`${script}${SCRIPT_END(files)}`, file) : evaluateGuest(`${script}})(undefined, ${files})\n`, file)
  const found = await run.catch((error: Error) => {
    throw cannotEvaluate(error, project)
  })
  return 'of' in found ? { ...found, where: placeOf(found.stack, file, map, root) } : { ...found, globals }
}

/**
 * The same of the program in the last snapshot, where nothing is wrong with it: its bundle need not be made, nor evaluated, a second time.
 * @param key of the snapshot @param code the program's text
 */
export async function examineBooted(
  key: string,
  project: Project,
  target: FoundTarget,
  { code, words = [] }: ExamineRequest & { code: string },
): Promise<Examination | undefined> {
  const script = `globalThis.__words = ${JSON.stringify(words)}\n${await bootedExaminer()}`
  const text = await inspectSnapshot({ key, script, global: '__examined' }, LONGEST).catch((error: Error) => {
    throw cannotEvaluate(error, project)
  })
  const found: Examined | Problem | undefined = text === undefined ? undefined : JSON.parse(text)
  // What is wrong has a place in the sources, which this bundle does not tell.
  if (found === undefined || 'of' in found) return undefined
  return { ...found, globals: usedGlobals(factsOf(code, project), target.globals ?? []) }
}

let examiner: Promise<string> | undefined

/** The script that does it: it is the same for all programs. */
export function bootedExaminer(): Promise<string> {
  examiner ??= build({
    entryPoints: [fileURLToPath(import.meta.resolve('@xen-ts/runtime/examine/booted'))],
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    target: 'es2024',
    charset: 'utf8',
    logLevel: 'silent',
  }).then(({ outputFiles }) => outputFiles[0].text)
  return examiner
}

const cannotEvaluate = ({ message }: Error, { entry }: Project): CliError =>
  new CliError(`the program cannot be evaluated: ${message}`, relative(process.cwd(), entry), TOP_LEVEL)

const TOP_LEVEL = 'its top level runs when it is examined, without anything connected; move what needs a machine into start()'

/** @throws CliError for whatever is wrong */
export async function examined(
  project: Project,
  target: FoundTarget,
  request: ExamineRequest = {},
): Promise<Examined & { globals: readonly string[] }> {
  const found = await examineProgram(project, target, request)
  if (isProblem(found)) throw problemError(found, project)
  return found
}

export function problemError({ of, message, where }: PlacedProblem, { entry }: Project): CliError {
  const file = where ?? relative(process.cwd(), entry)
  if (of === 'module') return new CliError(`the program cannot be evaluated: ${message}`, file, TOP_LEVEL)
  const lines = message.split('\n').filter(line => !line.startsWith('--help lists'))
  if (of === 'words') return new CliError(lines.join('\n'), undefined, 'xen-ts describe lists the arguments of the program')
  return new CliError(message, file)
}

/** As the image has them, but for the bytes, which nobody looks at. */
function assetsOf(script: string, map: string, root: string, modules: ReadonlyMap<string, string>): string {
  const assets = assetUses()
  walk(treeOf(`${script}})`), assets.visit)
  const { table, bytes } = assetTable(assets.uses, modules, positionsOf(script, map, root))
  return `(__bytes => ${table})(i => new ArrayBuffer(${JSON.stringify(bytes.map(each => each.length))}[i]))`
}

async function evaluateGuest(bundle: string, filename: string): Promise<Examined | Problem> {
  const text = await evaluateInEngine({ bundle, filename, global: '__examined', timeout: LONGEST })
  if (text === undefined) throw new Error('its module does not end')
  return JSON.parse(text)
}

/** What the program prints is not shown: stdout is for the graph. */
function evaluateInNode(script: string, file: string): Promise<Examined | Problem> {
  const child = spawn(
    process.execPath,
    ['-e', `require('node:vm').runInThisContext(require('node:fs').readFileSync(0, 'utf8'), ${JSON.stringify(file)})`],
    {
      stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
      timeout: LONGEST,
    },
  )
  let [found, errors] = ['', '']
  child.stderr!.setEncoding('utf8').on('data', text => {
    errors += text
  })
  const pipe = child.stdio[3] as NodeJS.ReadableStream
  pipe.setEncoding('utf8').on('data', text => {
    found += text
  })
  child.stdin!.on('error', () => {}).end(script)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (found !== '') resolve(JSON.parse(found))
      else if (signal !== null) reject(new Error(`it still runs after ${LONGEST / 1000} s`))
      else
        reject(new Error(errors.trim() === '' ? `it ended the process with code ${code}` : errors.trim().split('\n').slice(-8).join('\n')))
    })
  })
}

/** The innermost place on a stack that is the program's. */
function placeOf(stack: string, file: string, map: string, root: string): string | undefined {
  const trace = new TraceMap(map)
  const position = new RegExp(`${file.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}:(\\d+):(\\d+)`, 'g')
  for (const [, line, column] of stack.matchAll(position)) {
    const { source, line: at, column: from } = originalPositionFor(trace, { line: Number(line), column: Number(column) - 1 })
    if (source === null || at === null) continue
    const found = resolve(root, source)
    if (source.includes(MAIN) || isOwn(found)) continue
    return showPlace({ file: found, line: at, column: from, name: undefined })
  }
  return undefined
}
