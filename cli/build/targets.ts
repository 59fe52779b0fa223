/** Finds targets: those of @xen-ts/targets by their names, a program's own by the path of its module. */
import { existsSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Elsewhere, elsewhere, type Target } from '@xen-ts/runtime'
import { nearest } from '@xen-ts/runtime/machine'
import { type BuildFailure, build } from 'esbuild'
import { CliError } from '../errors.ts'
import { ownPackages } from './plugins.ts'

/** A target that was found. */
export interface FoundTarget {
  readonly name: string
  readonly becomes: Target['becomes']
  /** Absolute path of the module that exports `target` and `connect`. */
  readonly module: string
  /** How a program imports that module; undefined: by its path. */
  readonly specifier?: string
  /** Where the device kinds exist that it lacks. */
  readonly elsewhere: Elsewhere
  /** Global names for which that module has exports, to be linked where a program uses them. */
  readonly globals?: readonly string[]
  /** What is known of it without connecting anything. */
  readonly target: Target
}

/**
 * @param given a name, or a path (which has a slash, or ends as a module does)
 * @param folder what a path is relative to
 * @throws CliError for what is no target
 */
export async function findTarget(given: string, folder: string): Promise<FoundTarget> {
  const known: Readonly<Record<string, Target>> = await import('@xen-ts/targets')
  const all = await allTargets()
  const { target, module, specifier } = /\/|\.[cm]?[jt]s$/.test(given)
    ? await ownTarget(given, resolve(folder, given))
    : byName(given, known)
  return {
    name: target.name,
    becomes: target.becomes,
    module,
    specifier,
    elsewhere: elsewhere(target, all),
    globals: target.globals,
    target,
  }
}

/** Those with names. */
export const allTargets = async (): Promise<Target[]> => Object.values<Target>(await import('@xen-ts/targets'))

interface Found {
  readonly target: Target
  readonly module: string
  readonly specifier?: string
}

function byName(name: string, known: Readonly<Record<string, Target>>): Found {
  for (const [exported, target] of Object.entries(known)) {
    if (target.name !== name) continue
    const specifier = `@xen-ts/targets/${exported}`
    return { target, specifier, module: fileURLToPath(import.meta.resolve(specifier)) }
  }
  const all = Object.values(known)
  const near = nearest(
    name,
    all.map(target => target.name),
  )
  throw new CliError(
    `there is no target ${name}`,
    `--target ${name}`,
    `targets are ${listed(all)}${near ? `; did you mean ${near}?` : ''}, and a path to a module is a target of your own`,
  )
}

/** Names, as in a sentence. */
export const listed = (targets: readonly Target[]): string => new Intl.ListFormat('en-GB').format(targets.map(target => target.name))

/**
 * Evaluates a module with a target, bundled as it is for an image: what it imports of ours need not be installed beside it. Nothing is
 * connected, but its top level runs.
 */
async function ownTarget(given: string, path: string): Promise<Found> {
  if (!existsSync(path))
    throw new CliError(`there is no ${given}`, `--target ${given}`, 'give the name of a target, or the path of a module that exports one')
  let exports: Record<string, unknown>
  try {
    const { outputFiles } = await build({
      entryPoints: [path],
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'browser',
      conditions: ['workerd', 'edge-light', 'worker', 'module'],
      logLevel: 'silent',
      plugins: [ownPackages()],
    })
    exports = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`)
  } catch (error) {
    if ((error as BuildFailure).errors)
      throw await (await import('./messages.ts')).bundleError((error as BuildFailure).errors, process.cwd(), given)
    const shown = relative(process.cwd(), path)
    throw new CliError(`the target in ${shown} cannot be evaluated: ${(error as Error).message}`, `--target ${given}`, 'correct the module')
  }
  checkTarget(exports, given)
  return { target: exports.target as Target, module: path }
}

function checkTarget(exports: Record<string, unknown>, given: string): void {
  const { target, connect } = exports
  const refuse = (what: string): never => {
    throw new CliError(
      `${given} ${what}`,
      `--target ${given}`,
      "write export const target = { name, becomes: 'image', kinds: { ... } } and export const connect = context => ({ provide: { ... } })",
    )
  }
  if (typeof target !== 'object' || target === null) return refuse('exports no target')
  const { name, becomes, kinds, globals = [] } = target as Partial<Record<keyof Target, unknown>>
  if (typeof name !== 'string' || !/^[a-z][a-z0-9-]*$/.test(name))
    refuse("exports a target whose name is not made of small letters, digits and '-'")
  if (becomes !== 'image' && becomes !== 'process') refuse("exports a target whose becomes is neither 'image' nor 'process'")
  if (typeof kinds !== 'object' || kinds === null) refuse('exports a target whose kinds are not an object, such as { stack: {} }')
  if (!Array.isArray(globals)) refuse("exports a target whose globals are not an array of names, such as ['fetch']")
  for (const global of globals as unknown[]) {
    if (typeof global !== 'string' || typeof exports[global] !== 'function')
      refuse(`exports a target with the global ${global}, but no function of that name`)
  }
  if (typeof connect !== 'function') refuse('exports a target, but no function connect')
}
