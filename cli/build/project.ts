import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, extname, join, relative, resolve } from 'node:path'
import { nearest } from '@xen-ts/runtime/machine'
import { CliError } from '../errors.ts'
import { isGenerated } from './main-file.ts'

/** What `xen-ts build APP` works on. */
export interface Project {
  /** Absolute path of the module with the program. */
  readonly entry: string
  /** Folder of the package, or of the file when there is no package.json. */
  readonly root: string
  readonly name: string
  readonly version: string
  /** The target that package.json asks for, if any. */
  readonly target: string | undefined
}

const entryNames = ['app.ts', 'main.ts', 'index.ts', 'src/app.ts', 'src/main.ts', 'src/index.ts', 'app.js', 'index.js']
/** Of files with source. */
export const extensions = ['.ts', '.mts', '.tsx', '.js', '.mjs', '.jsx']

/** Finds the program: a file, or a folder with a package.json (`"xen-ts": { "entry", "target" }`) or one of the usual entry names. */
export function findProject(app: string): Project {
  const path = resolve(app)
  if (!existsSync(path)) throw new CliError(`there is no ${app}`, undefined, missingHint(path))
  if (statSync(path).isDirectory()) return fromFolder(path, app)
  if (isGenerated(path)) throw generated(app)
  if (!extensions.includes(extname(path))) {
    throw new CliError(
      `${app} is not a TypeScript or JavaScript file`,
      undefined,
      `a program is a module with a default export, in a file that ends in ${extensions.join(', ')}`,
    )
  }
  const root = packageRoot(dirname(path)) ?? dirname(path)
  // Other files of a package are programs of their own, with the name of the file.
  return entryOf(root) === path ? describe(root, path) : { ...describe(root, path), name: programName(basename(path, extname(path))) }
}

function fromFolder(root: string, shown: string): Project {
  const entry = entryOf(root)
  if (!entry)
    throw new CliError(
      `there is no program in ${shown}`,
      undefined,
      `name it app.ts, or say in package.json: "xen-ts": { "entry": "path/to/program.ts" }`,
    )
  if (!existsSync(entry))
    throw new CliError(`the entry ${relative(root, entry)} does not exist`, join(shown, 'package.json'), missingHint(entry))
  return describe(root, entry)
}

/** The program of a package: what package.json names (it may not exist), else the first of the usual names. */
function entryOf(root: string): string | undefined {
  const manifest = readManifest(root)
  const named = manifest?.['xen-ts']?.entry ?? manifest?.main
  if (named !== undefined) {
    if (isGenerated(resolve(root, named))) throw generated(named)
    return resolve(root, named)
  }
  const found = entryNames.find(name => existsSync(join(root, name)) && !isGenerated(join(root, name)))
  return found && join(root, found)
}

/** @param shown the file as it was given */
const generated = (shown: string): CliError =>
  new CliError(`${shown} was generated for a program, and is none itself`, shown, 'name the program that it imports')

function describe(root: string, entry: string): Project {
  const manifest = readManifest(root)
  return {
    entry,
    root,
    name: programName(manifest?.name ?? basename(root)),
    version: String(manifest?.version ?? '0.0.0'),
    target: manifest?.['xen-ts']?.target,
  }
}

/** A name that Xen and Qubes accept for a domain. */
function programName(text: string): string {
  return (
    text
      .replace(/^@[^/]*\//, '')
      .replace(/[^A-Za-z0-9._-]/g, '-')
      .replace(/^[^A-Za-z0-9]+/, '')
      .slice(0, 60) || 'program'
  )
}

interface Manifest {
  name?: string
  version?: string
  main?: string
  'xen-ts'?: { entry?: string; target?: string }
}

function readManifest(root: string): Manifest | undefined {
  const path = join(root, 'package.json')
  if (!existsSync(path)) return undefined
  const refuse = (what: string): CliError => new CliError(what, relative(process.cwd(), path), 'correct it')
  let manifest: Record<string, unknown>
  try {
    manifest = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw refuse(`package.json is not JSON: ${(error as Error).message}`)
  }
  const isObject = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
  if (!isObject(manifest)) throw refuse('package.json must be an object')
  const own = manifest['xen-ts'] ?? {}
  if (!isObject(own)) throw refuse('"xen-ts" in package.json must be an object')
  const { name, main } = manifest
  for (const [key, value] of Object.entries({
    '"name"': name,
    '"main"': main,
    '"xen-ts"."entry"': own.entry,
    '"xen-ts"."target"': own.target,
  })) {
    if (value !== undefined && typeof value !== 'string') throw refuse(`${key} in package.json must be a string`)
  }
  return manifest
}

function packageRoot(folder: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, 'package.json'))) return at
    if (dirname(at) === at) return undefined
  }
}

function missingHint(path: string): string | undefined {
  const folder = dirname(path)
  if (!existsSync(folder)) return `the folder ${relative(process.cwd(), folder) || folder} does not exist either`
  const near = nearest(basename(path), readdirSync(folder))
  return near
    ? `did you mean ${relative(process.cwd(), join(folder, near)) || near}?`
    : 'give the path of a file, or of a folder with a package.json'
}
