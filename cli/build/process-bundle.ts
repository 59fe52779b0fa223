/** Bundles a program for a target that becomes a process: one script, which Node runs as it is, whatever package.json stands beside it. */
import { builtinModules } from 'node:module'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BuildOptions, type BuildResult, build, type Metafile, type Plugin } from 'esbuild'
import { type AssetReport, assetTable } from './assets.ts'
import { defaultsImport, MAIN, type MainModule, optionsFor, reported, STRICT } from './bundle.ts'
import { networkKinds } from './facts.ts'
import { showWarning } from './messages.ts'
import { headingsOf, withModuleNames } from './module-names.ts'
import { positionsOf } from './positions.ts'
import type { Project } from './project.ts'
import { factsOf, findingsIn, sectionsOf } from './sections.ts'
import type { FoundTarget } from './targets.ts'
import { programCode } from './web-names.ts'
import { webAssembly } from './webassembly.ts'

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

/** How it ends: the function is called. `assets`: an expression for what it gives for __assets. */
export const SCRIPT_END = (assets: string): string => `})(${NODE}, ${assets}, ${NODE})\n`

/** As optionsFor, for a process: Node has the web's APIs itself, and waits for the end of a `for await`. */
export function processOptions(project: Project, modules: Map<string, string>): BuildOptions {
  const options = optionsFor(project, modules)
  return {
    ...options,
    banner: { js: SCRIPT_START + STRICT },
    inject: [],
    supported: { 'dynamic-import': false },
    plugins: [nodeModules, webAssembly(project.root, true), ...(options.plugins ?? [])],
  }
}

/** @throws CliError for what cannot be bundled */
export async function bundleProcess(project: Project, target: FoundTarget, given: MainModule = {}): Promise<ProcessBundle> {
  const modules = new Map<string, string>()
  await readProcess(project, target)
  return processBundle(
    await reported(project, target, () => build(scriptOptions(project, target, modules, given))),
    project,
    target,
    modules,
  )
}

/** The program alone. @throws CliError when there is none */
export async function readProcess(project: Project, target: FoundTarget): Promise<void> {
  const program = await reported(project, target, () => programCode(project.entry, processOptions(project, new Map())))
  networkKinds(factsOf(program, project), relative(process.cwd(), project.entry))
}

/** What esbuild is told, the script's main module included. @param modules as for optionsFor */
export function scriptOptions(
  project: Project,
  target: FoundTarget,
  modules: Map<string, string>,
  { main, defaults = [] }: MainModule = {},
) {
  const start = main === undefined ? mainModule(project, target) : `import ${JSON.stringify(main)}`
  return {
    ...processOptions(project, modules),
    stdin: { contents: [...defaultsImport(defaults), start].join('\n'), resolveDir: project.root, sourcefile: MAIN, loader: 'ts' },
    write: false,
    metafile: true,
  } as const satisfies BuildOptions
}

/**
 * The bundle, from what esbuild gave for scriptOptions.
 * @param compress false: files of assets stay as they are, for the time that it takes
 * @throws CliError for folders of assets
 */
export async function processBundle(
  result: BuildResult<ReturnType<typeof scriptOptions>>,
  project: Project,
  target: FoundTarget,
  modules: ReadonlyMap<string, string>,
  { compress = true }: { compress?: boolean } = {},
): Promise<ProcessBundle> {
  const text = (ending: string) => result.outputFiles.find(file => file.path.endsWith(ending))!.text
  const inputs = new Set(Object.keys(result.metafile.inputs))
  const script = withModuleNames(text('.js'), inputs, project.root)
  const map = text('.map')
  const place = positionsOf(script, map, project.root)
  const sections = sectionsOf(script, headingsOf(inputs, project.root), project.root)
  const { assets } = findingsIn(script, `${script}})`, sections, project.root, `${project.entry} ${target.module}`)
  const { table, bytes, reports } = assetTable(assets, modules, place, compress ? undefined : [])
  const packed = bytes.map(each => JSON.stringify(Buffer.from(each).toString('base64')))
  const given = `(__bytes => ${table})(i => Buffer.from([${packed.join(', ')}][i], 'base64'))`
  return {
    code: `${script}${SCRIPT_END(given)}`,
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
