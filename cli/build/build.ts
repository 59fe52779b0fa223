import { randomUUID } from 'node:crypto'
import { accessSync, constants, existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, extname, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { ComposedImage, MadeSnapshot, SnapshotOptions } from '@xen-ts/boot'
import { CliError, trouble } from '../errors.ts'
import type { NativeShare } from '../native/make.ts'
import { nativeUsual, parseNative } from '../native/option.ts'
import type { AssetReport } from './assets.ts'
import { askedFor, type Begun, begin, beginBuild } from './begin.ts'
import { readProgram } from './bundle.ts'
import type { Bundle } from './image-bundle.ts'
import { PlanCache } from './plan.ts'
import { type GivenOptions, prepare } from './prepare.ts'
import { extensions, type Project } from './project.ts'
import { bundleShares, type SizeRow } from './report.ts'
import type { FoundTarget } from './targets.ts'

export interface BuildOptions extends GivenOptions {
  readonly app: string
  readonly output?: string
  /** Whether the report has the size of the compressed image: to know it takes longer than half of the rest. */
  readonly gzip?: boolean
  /** Called when a stage begins and when it ended, with its time in milliseconds. */
  onStage?(name: string, milliseconds?: number): void
}

export interface BuildReport {
  readonly output: string
  readonly target: string
  readonly sha256: string
  readonly buildId: string
  readonly bytes: number
  /** Where it was asked for. */
  readonly gzipBytes?: number
  /** Least memory of the domain in MiB, an estimate. */
  readonly memoryMiB: number
  readonly stages: readonly { name: string; milliseconds: number }[]
  readonly sizes: SizeRow
  readonly warnings: readonly string[]
  readonly assets: readonly AssetReport[]
}

const kernelPath = fileURLToPath(import.meta.resolve('@xen-ts/boot/kernel.elf'))

/**
 * Builds a program into a `.xen` file (and `.xen.map` beside it). Needs no C compiler: the kernel was built before.
 * @param begun of the same program and target
 */
export async function buildProgram(options: BuildOptions, begun: Begun = beginBuild(options.app, options.target)): Promise<BuildReport> {
  const stages: { name: string; milliseconds: number }[] = []
  const stage = async <T>(name: string, work: () => T | Promise<T>): Promise<T> => {
    options.onStage?.(name)
    const start = performance.now()
    const result = await work()
    const milliseconds = performance.now() - start
    stages.push({ name, milliseconds })
    options.onStage?.(name, milliseconds)
    return result
  }

  const { project } = begun
  const shown = options.output ?? `${project.name}.xen`
  const output = resolve(shown)
  checkWritable(output, shown)
  const { target, bundle, composed, warnings } = await makeImage(project, options, stage, begun)
  // On another thread, and as deploy does it: at level 9 it would take longer than all else here, for a file that is half a percent smaller.
  const gzipped = options.gzip ? promisify(gzip)(composed.image) : undefined
  await stage('write', () => writeImage(output, shown, project, { bundle, composed }))

  return {
    output,
    target: target.name,
    sha256: composed.sha256,
    buildId: composed.buildId,
    bytes: composed.image.length,
    gzipBytes: (await gzipped)?.length,
    memoryMiB: composed.memoryMiB,
    stages,
    warnings,
    sizes: sizesOf(relative(process.cwd(), output) || output, composed, bundle, bundleShares(bundle.metafile, project.root)),
    assets: bundle.assets,
  }
}

export type Stage = <T>(name: string, work: () => T | Promise<T>) => Promise<T>

export interface MadeImage {
  readonly target: FoundTarget
  readonly bundle: Bundle
  readonly composed: ComposedImage
  /** Functions that are machine code, the largest first. */
  readonly native: readonly NativeShare[]
  /** Names of the global object's properties. */
  readonly globals: readonly string[]
  readonly warnings: readonly string[]
}

/** An image, which is not written anywhere. */
export async function makeImage(
  project: Project,
  options: GivenOptions,
  stage: Stage,
  { guess }: Begun = begin(project, options.target),
): Promise<MadeImage> {
  if (!existsSync(kernelPath))
    throw new CliError(
      'the kernel has not been built',
      relative(process.cwd(), kernelPath),
      'run `make kernel` once; it needs gcc and wabt',
    )
  const native = options.native === undefined ? nativeUsual : parseNative(options.native)
  const { target, bundle, noted, check, code } = await stage('bundle', async () => {
    const { target, main, warnings, check } = await prepare(project, options, 'xen')
    if (target.becomes !== 'image')
      throw new CliError(
        `target ${target.name} becomes a ${target.becomes}, not an image`,
        `--target ${options.target ?? target.name}`,
        'build it with buildProcess',
      )
    const reading = readProgram(project, target)
    reading.catch(() => {}) // it is waited for
    // What else is needed is loaded while esbuild is at work.
    const [{ readyEngine }, { bundleProgram }] = await Promise.all([import('./engine.ts'), import('./image-bundle.ts')])
    void readyEngine(project)
    const code = await reading
    return {
      target,
      bundle: await bundleProgram(project, target, { ...main, code, guess, asked: askedFor(options.target) }),
      noted: warnings,
      check,
      code,
    }
  })
  const kernel = readFileSync(kernelPath)
  const { composeImage } = await import('@xen-ts/boot')
  const key = randomUUID()
  const snapshot = await stage('snapshot', async () => {
    try {
      const plans = new PlanCache(project, target)
      const making = snapshotOf(bundle, project, { key, plan: plans.plan })
      making.catch(() => {}) // it is waited for
      await (await import('./examine.ts')).bootedExaminer() // needed next, and this thread has nothing else to do
      const made = await making
      plans.keep(made.plan)
      return made
    } catch (error) {
      await check({ code }) // what it says has a place in the sources
      throw error
    }
  })
  const checked = check({ code, key })
  checked.catch(() => {}) // it is waited for
  const modules =
    bundle.wasm.length > 0
      ? await stage('WebAssembly', async () => (await import('./webassembly-modules.ts')).compiledCode(bundle.wasm, project.root))
      : []
  const machine =
    native === 'none'
      ? undefined
      : await stage('native', async () => (await import('../native/make.ts')).nativeCode(snapshot, bundle, project, native))
  const composed = await stage('compose', () =>
    composeImage({
      kernel,
      snapshot: machine?.snapshot ?? snapshot,
      code: [...modules, ...(machine?.code ?? [])],
      metadata: { name: project.name, version: project.version, target: target.name, network: bundle.network },
    }),
  )
  return {
    target,
    bundle,
    composed,
    native: machine?.shares ?? [],
    globals: snapshot.globals,
    warnings: [...noted, ...(await checked), ...bundle.warnings, ...bundle.globalWarnings(snapshot.globals)],
  }
}

/** Writes an image, and its map beside it. @param shown the path as it was given */
export function writeImage(
  output: string,
  shown: string,
  project: Project,
  { bundle, composed }: Pick<MadeImage, 'bundle' | 'composed'>,
): void {
  const map = JSON.parse(bundle.map)
  map.x_build = composed.buildId
  map.file = `${project.name}.js`
  map.sources = map.sources.map((source: string) => relative(dirname(output), resolve(project.root, source)))
  replaceFile(output, composed.image, shown)
  replaceFile(`${output}.map`, JSON.stringify(map), shown)
}

/** The size tree of an image. @param shares of the bundle */
export const sizesOf = (name: string, composed: ComposedImage, bundle: Bundle, shares: readonly SizeRow[]): SizeRow => ({
  name,
  bytes: composed.image.length,
  parts: sizeRows(composed.sizes, shares, assetBytes(bundle.assets)),
})

/** Errors while the snapshot is made are the program's (or a module's): show them with TypeScript positions. */
export async function snapshotOf(
  { code, map, bytes }: Bundle,
  { name, root }: Project,
  options: Pick<SnapshotOptions, 'output' | 'key' | 'plan'> = {},
): Promise<MadeSnapshot> {
  const { makeSnapshot } = await import('@xen-ts/boot')
  try {
    return await makeSnapshot({ bundle: code, bytes, filename: `${name}.js`, program: name, ...options })
  } catch (error) {
    const stack = (error as Error).stack ?? ''
    if (!stack.includes(`${name}.js:`)) throw error
    const [{ TraceMap }, { rewriterFor }] = await Promise.all([import('@jridgewell/trace-mapping'), import('../run/positions.ts')])
    const rewrite = rewriterFor(new TraceMap(map), `${name}.js`, root)
    throw new CliError(
      `the program could not be loaded: ${(error as Error).message}`,
      stack.split('\n').map(rewrite).join('\n'),
      'code outside functions of the runtime runs while the image is built; move it into start()',
    )
  }
}

const assetBytes = (reports: readonly AssetReport[]) =>
  reports.reduce((sum, { bytes, compressedBytes }) => sum + bytes + compressedBytes, 0)

const sum = (rows: readonly { readonly bytes: number }[]) => rows.reduce((sum, row) => sum + row.bytes, 0)

/**
 * The heap's bytes but for those of assets are divided among packages by their share of the bundle: the engine does not account by
 * module.
 */
function sizeRows(sizes: Record<string, number>, shares: readonly SizeRow[], assets: number): SizeRow[] {
  const total = sum(shares) || 1
  return Object.entries(sizes).map(([name, bytes]) =>
    name !== 'heap'
      ? { name, bytes }
      : {
          name: 'heap (by share of the bundle)',
          bytes,
          parts: [...shares.map(row => scaled(row, (bytes - assets) / total)), ...(assets > 0 ? [{ name: 'assets', bytes: assets }] : [])],
        },
  )
}

const scaled = ({ name, bytes, parts }: SizeRow, by: number): SizeRow => ({
  name,
  bytes: Math.round(bytes * by),
  ...(parts && { parts: parts.map(part => scaled(part, by)) }),
})

/** @param shown the path as it was given */
export function checkWritable(output: string, shown: string, kind: 'image' | 'script' = 'image'): void {
  const refuse = (what: string, todo: string): CliError => new CliError(what, `--output ${shown}`, todo)
  const folder = dirname(output)
  const found = existsSync(output) ? statSync(output) : undefined
  if (found?.isDirectory()) throw refuse(`${shown} is a folder`, 'name a file')
  // A device, /dev/null too, would be replaced by a file.
  if (found !== undefined && !found.isFile()) throw refuse(`${shown} is not a regular file`, 'choose another output')
  if (kind === 'image' && extensions.includes(extname(output)))
    throw refuse(`${shown} has the name of a source file`, 'an image is named NAME.xen')
  if (kind === 'script' && extname(output) !== '.js')
    throw refuse(`${shown} is not the name of a script`, 'a program for Node is named NAME.js')
  if (!existsSync(folder)) throw refuse(`the folder of ${shown} does not exist`, 'make it, or choose another output')
  try {
    accessSync(folder, constants.W_OK)
  } catch (error) {
    throw cannotWrite(shown, error)
  }
}

function cannotWrite(shown: string, error: unknown, option = '--output'): CliError {
  return new CliError(`${shown} cannot be written: ${trouble(error)}`, `${option} ${shown}`, 'check its folder, or choose another output')
}

/** Whole or not at all: a reader never sees half an image. @param shown the path as it was given, with `option` */
export function replaceFile(path: string, content: Uint8Array | string, shown: string, option = '--output'): void {
  const temporary = `${path}.${process.pid}.tmp`
  try {
    writeFileSync(temporary, content)
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw cannotWrite(shown, error, option)
  }
}
