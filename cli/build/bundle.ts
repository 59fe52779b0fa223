/** How programs are bundled, and what esbuild can do before more is known of one: this file is loaded first, and waits for nothing. */
import { fileURLToPath } from 'node:url'
import { type BuildFailure, type BuildOptions, build, type Plugin } from 'esbuild'
import { buildModules } from './build-modules.ts'
import './bundler.ts'
import { Cache, sha256 } from './cache.ts'
import { jsxSource, ownFactories } from './jsx.ts'
import { ownAssets } from './own-assets.ts'
import { buildDefaults, ownPackages, without } from './plugins.ts'
import type { Project } from './project.ts'
import type { FoundTarget } from './targets.ts'
import { programCode, webGlobals } from './web-names.ts'
import { webAssembly } from './webassembly.ts'

/** What esbuild calls the main module that the tool writes: a name that no file of a project has. */
export const MAIN = '<main>'

/**
 * The directive of the function that a bundle is. Modules are strict (ECMA-262 11.2.2), and a bundle, which is a script, is not by itself: esbuild adds
 * the directive only where tsconfig.json asks for it, and not to the functions that it takes out of a module.
 */
export const STRICT = '"use strict";'

export const own = (module: string) => fileURLToPath(import.meta.resolve(module))

/** The program alone: only by its text it is known which web APIs belong to it, and which devices. */
export const readProgram = (project: Project, target: FoundTarget): Promise<string> =>
  reported(project, target, () => programCode(project.entry, optionsFor(project, new Map())))

/** What the main module is. */
export interface MainModule {
  /** Path of a generated main.ts, which is it. */
  readonly main?: string
  /** Words of a command line that count less than what the program is started with. */
  readonly defaults?: readonly string[]
}

/** All that one bundle of a project differs in from another. */
export interface Question {
  /** The main module. */
  readonly main: string
  /** What is left out: see `without`. */
  readonly left: Readonly<Record<string, string>>
}

export const isSame = (one: Question | undefined, other: Question): boolean =>
  one !== undefined && one.main === other.main && JSON.stringify(one.left) === JSON.stringify(other.left)

type Answer = Awaited<ReturnType<typeof bundleFor>>

export async function bundleFor(project: Project, { main, left }: Question) {
  const modules = new Map<string, string>()
  const result = await build({
    ...optionsFor(project, modules, without(left)),
    stdin: { contents: main, resolveDir: project.root, sourcefile: MAIN, loader: 'ts' },
    write: false,
    metafile: true,
  })
  return { result, modules }
}

/** A bundle that is made before it is known what to bundle. */
export interface Guess {
  readonly question: Question
  /** undefined: it failed, in whichever way. */
  readonly answer: Promise<Answer | undefined>
}

const QUESTION = 'question'
const questions = (project: Project, asked: string): Cache<Question> =>
  new Cache(project.root, `main-${sha256(`${project.entry} ${asked}`).slice(0, 16)}`)

/**
 * Most changes of a program leave the main module as it was: so the bundle of the last one is made at once, before anything is known of the target
 * or read of the program.
 * @param asked the target as it was given, '' where none was; should it mean another one now, the guess is wrong, and is not taken
 */
export function guessBundle(project: Project, asked: string): Guess | undefined {
  const question = questions(project, asked).known(QUESTION)
  if (question === undefined) return undefined
  return { question, answer: bundleFor(project, question).catch(() => undefined) }
}

export function keepQuestion(project: Project, asked: string, question: Question): void {
  const cache = questions(project, asked)
  if (isSame(cache.known(QUESTION), question)) return
  cache.set(QUESTION, question)
  cache.save()
}

/** Evaluated before what follows it: `boot` finds them. */
export const defaultsImport = (words: readonly string[]): string[] =>
  words.length === 0 ? [] : [`import ${JSON.stringify(`xen-ts-defaults:${JSON.stringify(words)}`)}`]

/** @param modules is filled with the modules that have assets, by the names of their functions */
export function optionsFor(project: Project, modules: Map<string, string>, ...plugins: Plugin[]): BuildOptions {
  return {
    bundle: true,
    outfile: `${project.name}.js`,
    format: 'iife',
    // Packages' builds for browsers and edge runtimes: `browser` maps are honoured, main fields are browser, module, main (without
    // module where a package is required as well), conditions are these, browser, and import or require as the case is.
    platform: 'browser',
    conditions: ['workerd', 'edge-light', 'worker', 'module'],
    target: 'es2024',
    // import() of what is not in the bundle becomes a call of require. And QuickJS does not wait for the iterator's return() when a
    // `for await` is left early (ECMA-262 7.4.13, AsyncIteratorClose): a stream would be locked still, a `finally` not have run.
    supported: { 'dynamic-import': false, 'for-await': false },
    banner: { js: `((require, __assets) => {${STRICT}` },
    charset: 'utf8',
    keepNames: true,
    legalComments: 'none',
    jsx: 'automatic',
    jsxImportSource: jsxSource(project.root),
    minifySyntax: true,
    sourcemap: 'external',
    sourcesContent: false,
    logLevel: 'silent',
    // Paths become names of functions: relative to the project, so that they do not depend on where the tool is started.
    absWorkingDir: project.root,
    // What packages read without asking whether there is a process, and what they call the global object.
    define: { 'process.env.NODE_ENV': '"production"', 'process.env.NODE_DEBUG': 'undefined', global: 'globalThis' },
    inject: [own('@xen-ts/runtime/web/inject')],
    plugins: [
      ...plugins,
      buildModules(project),
      ownAssets(project.root, (name, path) => modules.set(name, path)),
      ownPackages(),
      ownFactories(),
      webGlobals(),
      buildDefaults(),
      webAssembly(project.root),
    ],
  }
}

export async function reported<T>(project: Project, target: FoundTarget, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if ((error as BuildFailure).errors === undefined) throw error
    const { bundleError } = await import('./messages.ts')
    throw await bundleError((error as BuildFailure).errors, project.root, target.name)
  }
}
