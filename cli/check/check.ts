/** All that can be known of a program for a target without booting it. */
import { relative, resolve } from 'node:path'
import vm from 'node:vm'
import type { Metafile } from 'esbuild'
import { makeImage, type Stage, sizesOf } from '../build/build.ts'
import { optionsFor, reported } from '../build/bundle.ts'
import { freeNames, globalUses } from '../build/globals.ts'
import { nodeModule } from '../build/modules.ts'
import { isOwn } from '../build/own.ts'
import { positionsOf } from '../build/positions.ts'
import { bundleProcess } from '../build/process-bundle.ts'
import { findProject, type Project } from '../build/project.ts'
import { bundleShares, type SizeRow } from '../build/report.ts'
import { treeOf, walk } from '../build/syntax.ts'
import { type FoundTarget, findTarget } from '../build/targets.ts'
import { programBundle } from '../build/web-names.ts'
import type { NativeShare } from '../native/make.ts'
import { refuseNative } from '../native/option.ts'
import { type Profile, profileOf } from './profile.ts'

export interface NamedUse {
  readonly name: string
  /** Whether the target has it. */
  readonly present: boolean
  /** Relative to the project. */
  readonly files: readonly string[]
}

export interface CheckReport {
  readonly name: string
  readonly version: string
  readonly target: string
  readonly sizes: SizeRow
  /** Of the domain, in MiB, an estimate. undefined: it is no image. */
  readonly memoryMiB: number | undefined
  /** Functions that are machine code, the largest first. undefined: it is no image. */
  readonly native: readonly NativeShare[] | undefined
  /** undefined: it is no image. */
  readonly profile: Profile | undefined
  /** Of the web and of other hosts: those of the language are not listed. undefined: it is no image. */
  readonly globals: readonly NamedUse[] | undefined
  readonly nodeModules: readonly NamedUse[]
  readonly warnings: readonly string[]
}

/** @throws CliError for a program that cannot be built for the target */
export async function checkProgram(app: string, given: string | undefined, native?: string): Promise<CheckReport> {
  const project = findProject(app)
  const target = await findTarget(given ?? project.target ?? 'xen', given === undefined ? project.root : process.cwd())
  const { name, version } = project
  const head = { name, version, target: target.name }
  return { ...head, ...(await (target.becomes === 'image' ? ofImage(project, target, given, native) : ofProcess(project, target, native))) }
}

type Body = Omit<CheckReport, 'name' | 'version' | 'target'>

const withoutTimes: Stage = async (_, work) => work()

async function ofImage(project: Project, target: FoundTarget, given: string | undefined, native: string | undefined): Promise<Body> {
  const made = await makeImage(project, { target: given, native }, withoutTimes)
  const { bundle, composed, globals, warnings } = made
  const absent = new Set(bundle.freeNames()).difference(new Set(globals))
  return {
    sizes: sizesOf(`${project.name}.xen`, composed, bundle, bundleShares(bundle.metafile, project.root, true)),
    memoryMiB: composed.memoryMiB,
    native: made.native.map(({ file, ...share }) => ({ ...share, file: relative(project.root, resolve(project.root, file)) })),
    profile: await profileOf(project, target),
    globals: await globalNames(project, target, absent),
    nodeModules: absentModules(bundle.metafile, target.name),
    warnings,
  }
}

async function ofProcess(project: Project, target: FoundTarget, native: string | undefined): Promise<Body> {
  refuseNative(native, target.name)
  const { code, metafile, warnings, assets } = await bundleProcess(project, target)
  const shares = bundleShares(metafile, project.root, true)
  const bytes = Buffer.byteLength(code)
  const rest = bytes - shares.reduce((sum, row) => sum + row.bytes, 0)
  return {
    sizes: {
      name: `${project.name}.js`,
      bytes,
      parts: [...shares, { name: assets.length > 0 ? 'assets and the rest' : 'the rest', bytes: rest }],
    },
    memoryMiB: undefined,
    native: undefined,
    profile: undefined,
    globals: undefined,
    nodeModules: usedModules(metafile, project.root),
    warnings,
  }
}

/** Those of ECMAScript, which every engine has. V8 puts two of the web's beside them. */
const language = new Set<string>(vm.runInNewContext('Object.getOwnPropertyNames(globalThis)')).difference(
  new Set(['console', 'WebAssembly']),
)

/** Of the program and its packages, as they are written: in the image what comes with xen-ts is no longer a global name. */
async function globalNames(project: Project, target: FoundTarget, absent: ReadonlySet<string>): Promise<NamedUse[]> {
  const files = await reported(project, target, () =>
    programBundle(project.entry, { ...optionsFor(project, new Map()), sourcemap: 'external' }),
  )
  const text = (ending: string) => files.find(({ path }) => path.endsWith(ending))!.text
  const [code, map] = [text('.js'), text('.map')]
  const tree = treeOf(code, 'module')
  const free = freeNames()
  walk(tree, free.visit)
  return globalUses(tree, free.names(), positionsOf(code, map, project.root), isOwn)
    .filter(({ name }) => !language.has(name))
    .map(({ name, files }) => ({ name, present: !absent.has(name), files: files.map(file => relative(project.root, file)) }))
}

/** Modules of Node that are asked for where it may fail: the others are errors of the build. */
const absentModules = ({ inputs }: Metafile, target: string): NamedUse[] =>
  byName(
    Object.entries(inputs).flatMap(([file, { imports }]) =>
      imports.filter(({ external, path }) => external && nodeModule(path, target) !== undefined).map(({ path }) => ({ name: path, file })),
    ),
    false,
  )

/** Modules of Node that a process has. */
const usedModules = ({ inputs }: Metafile, root: string): NamedUse[] =>
  byName(
    Object.entries(inputs)
      .filter(([file]) => !isOwn(resolve(root, file)))
      .flatMap(([file, { imports }]) =>
        imports.flatMap(({ path }) => (path.startsWith('node:') ? [{ name: `node:${path.replace(/^(node:)+/, '')}`, file }] : [])),
      ),
    true,
  )

const byName = (uses: readonly { name: string; file: string }[], present: boolean): NamedUse[] =>
  [...Map.groupBy(uses, ({ name }) => name)]
    .map(([name, found]) => ({ name, present, files: [...new Set(found.map(({ file }) => file))].sort() }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
