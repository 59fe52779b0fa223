/** Bundles a program for a target that becomes a process: one script, which Node runs as it is, whatever package.json stands beside it. */
import { builtinModules } from 'node:module'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BuildOptions, type BuildResult, build, type Metafile, type Plugin } from 'esbuild'
import { CliError } from '../errors.ts'
import { type AssetReport, assetTable, assetUses } from './assets.ts'
import { MAIN, optionsFor, reported } from './bundle.ts'
import { networkKinds } from './facts.ts'
import { kindUses } from './kinds.ts'
import { showWarning } from './messages.ts'
import { positionsOf, showPlace } from './positions.ts'
import type { Project } from './project.ts'
import { treeOf, walk } from './syntax.ts'
import type { FoundTarget } from './targets.ts'
import { programCode } from './web-names.ts'

export interface ProcessBundle {
  readonly code: string
  /** Source map, JSON; its sources are relative to the project's root. */
  readonly map: string
  readonly metafile: Metafile
  readonly warnings: readonly string[]
  readonly assets: readonly AssetReport[]
}

/** How such a script begins. */
export const SCRIPT_START = '((require, __assets, __node) => {'

/** Modules of Node, which a process has: by a function that the script is given, since neither of `require` and `import` is always there. */
const nodeModules: Plugin = {
  name: 'node-modules',
  setup(build) {
    const bare = new Set(builtinModules)
    build.onResolve({ filter: /^[\w:/]+$/ }, async ({ path, kind, resolveDir, pluginData }) => {
      if (pluginData === nodeModules) return undefined
      const isNode = path.startsWith('node:')
      if (!isNode && !bare.has(path)) return undefined
      // A package of that name comes first, as in an image.
      const found = isNode ? undefined : await build.resolve(path, { kind, resolveDir, pluginData: nodeModules })
      return found !== undefined && found.errors.length === 0 ? found : { path: path.replace(/^node:/, ''), namespace: 'node' }
    })
    build.onLoad({ filter: /./, namespace: 'node' }, ({ path }) => ({
      contents: `module.exports = __node(${JSON.stringify(`node:${path}`)})`,
      loader: 'js',
    }))
  },
}

/** What `__node` and `require` are: a script is a CommonJS module or, where package.json says so, one of ECMAScript. */
const NODE = "typeof require === 'function' ? require : name => process.getBuiltinModule(name)"

/** @throws CliError for what cannot be bundled, and for a device that the target lacks */
export async function bundleProcess(project: Project, target: FoundTarget): Promise<ProcessBundle> {
  const modules = new Map<string, string>()
  const options = processOptions(project, target, modules)
  const program = await reported(project, target, () => programCode(project.entry, options))
  networkKinds(program, relative(process.cwd(), project.entry)) // throws when there is no program
  return processBundle(await reported(project, target, () => build(options)), project, target, modules)
}

/** What esbuild is told. @param modules as for optionsFor */
export function processOptions(project: Project, target: FoundTarget, modules: Map<string, string>) {
  const options = optionsFor(project, modules)
  return {
    ...options,
    stdin: { contents: mainModule(project, target), resolveDir: project.root, sourcefile: MAIN, loader: 'ts' },
    banner: { js: SCRIPT_START },
    // Node has the web's APIs itself, and waits for the end of a `for await`.
    inject: [],
    supported: { 'dynamic-import': false },
    plugins: [nodeModules, ...(options.plugins ?? [])],
    write: false,
    metafile: true,
  } as const satisfies BuildOptions
}

/**
 * The bundle, from what esbuild gave for processOptions.
 * @param compress false: files of assets stay as they are, for the time that it takes
 * @throws CliError for folders of assets, and for a device that the target lacks
 */
export async function processBundle(
  result: BuildResult<ReturnType<typeof processOptions>>,
  project: Project,
  target: FoundTarget,
  modules: ReadonlyMap<string, string>,
  { compress = true }: { compress?: boolean } = {},
): Promise<ProcessBundle> {
  const text = (ending: string) => result.outputFiles.find(file => file.path.endsWith(ending))!.text
  const [script, map] = [text('.js'), text('.map')]
  const place = positionsOf(script, map, project.root)
  const assets = assetUses()
  const kinds = kindUses()
  walk(treeOf(`${script}})`), assets.visit, kinds.visit)
  for (const { kind, at } of kinds.uses(place)) {
    const where = Object.hasOwn(target.elsewhere, kind) ? target.elsewhere[kind] : undefined
    if (where === undefined) continue
    const found = place(at)
    throw new CliError(
      `${kind}: only on target${where.length > 1 ? 's' : ''} ${where.join(', ')} (target is ${target.name})`,
      found && showPlace(found),
      'build the program for that target, or leave the device out',
    )
  }
  const { table, bytes, reports } = assetTable(assets.uses, modules, place, compress ? undefined : [])
  const packed = bytes.map(each => JSON.stringify(Buffer.from(each).toString('base64')))
  const given = `(__bytes => ${table})(i => Buffer.from([${packed.join(', ')}][i], 'base64'))`
  return {
    code: `${script}})(${NODE}, ${given}, ${NODE})\n`,
    map,
    metafile: result.metafile,
    warnings: await Promise.all(result.warnings.map(warning => showWarning(warning, project.root, target.name))),
    assets: reports,
  }
}

function mainModule({ name, version, entry }: Project, target: FoundTarget): string {
  const options = Object.entries({ name, version, elsewhere: target.elsewhere }).map(([key, value]) => `${key}: ${JSON.stringify(value)}`)
  return [
    `import { runProcess as boot } from ${JSON.stringify(fileURLToPath(import.meta.resolve('@xen-ts/runtime/process')))}`,
    `import { target, connect } from ${JSON.stringify(target.module)}`,
    `boot({ target, connect, ${options.join(', ')}, program: () => import(${JSON.stringify(entry)}) })`,
  ].join('\n')
}
