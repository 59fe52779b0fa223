import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BuildFailure, build, type Metafile } from 'esbuild'
import { type AssetReport, assetTable, assetUses, ownAssets } from './assets.ts'
import { programFacts, usesNetwork } from './facts.ts'
import { absentGlobals, freeNames } from './globals.ts'
import { jsxSource, ownFactories } from './jsx.ts'
import { bundleError, showWarning } from './messages.ts'
import { absentRequire } from './modules.ts'
import { blank, needlessNames } from './names.ts'
import { isOwn } from './own.ts'
import { ownPackages } from './plugins.ts'
import { positionsOf } from './positions.ts'
import type { Project } from './project.ts'
import { treeOf, walk } from './syntax.ts'
import { targetModule } from './targets.ts'

export interface Bundle {
  /** A classic script, one file: runtime, drivers, stack, target and (not yet run) the program. */
  readonly code: string
  /** Source map, JSON; its sources are relative to the project's root. */
  readonly map: string
  readonly metafile: Metafile
  readonly warnings: readonly string[]
  /** false: the program certainly has no network device. */
  readonly network: boolean
  /** Further warnings, once it is known which names the global object has. */
  globalWarnings(present: readonly string[]): string[]
  readonly assets: readonly AssetReport[]
  /** For makeSnapshot: what __bytes(i) gives. */
  readonly bytes: readonly Uint8Array[]
}

const own = (module: string) => fileURLToPath(import.meta.resolve(module))

/**
 * Bundles a program for a target. What the generated main module imports statically is evaluated at build time; the program
 * itself is imported dynamically, which makes esbuild wrap it in a function that runs at boot.
 */
export async function bundleProgram(project: Project, target: string): Promise<Bundle> {
  return bundleMain(project, target, mainModule(project, target))
}

/** Bundles a main module, which imports the project's entry. */
export async function bundleMain(project: Project, target: string, main: string): Promise<Bundle> {
  const modules = new Map<string, string>()
  const result = await runEsbuild(project, target, main, modules)
  const text = (ending: string) => result.outputFiles.find(file => file.path.endsWith(ending))!.text
  const [code, map] = [text('.js'), text('.map')]
  const place = positionsOf(code, map, project.root)
  const assets = assetUses()
  const names = needlessNames(offset => isOwn(place(offset)?.file ?? ''))
  const tree = treeOf(`${code}})`)
  const free = freeNames()
  const facts = programFacts()
  walk(tree, assets.visit, names.visit, free.visit, facts.visit)
  const { table, bytes, reports } = assetTable(assets.uses, modules, place)
  return {
    code: `${blank(code, names.ranges)}})(${absentRequire(result.metafile, target)}, ${table})\n`,
    map,
    metafile: result.metafile,
    warnings: await Promise.all(result.warnings.map(warning => showWarning(warning, project.root, target))),
    network: usesNetwork(facts, place, relative(process.cwd(), project.entry)),
    globalWarnings: present => absentGlobals(tree, free.names().difference(new Set(present)), place, isOwn),
    assets: reports,
    bytes,
  }
}

/** The module that ties target and program together. */
function mainModule(project: Project, target: string): string {
  return [
    `import { boot } from ${JSON.stringify(own('@xen-ts/runtime/guest.ts'))}`,
    `import { target } from ${JSON.stringify(targetModule(target))}`,
    `boot({ target, name: ${JSON.stringify(project.name)}, version: ${JSON.stringify(project.version)}, program: () => import(${JSON.stringify(project.entry)}) })`,
  ].join('\n')
}

async function runEsbuild(project: Project, target: string, main: string, modules: Map<string, string>) {
  try {
    return await build({
      stdin: { contents: main, resolveDir: project.root, sourcefile: 'main.ts', loader: 'ts' },
      bundle: true,
      write: false,
      outfile: `${project.name}.js`,
      format: 'iife',
      // Packages' builds for browsers and edge runtimes: `browser` maps are honoured, main fields are browser, module, main (without
      // module where a package is required as well), conditions are these, browser, and import or require as the case is.
      platform: 'browser',
      conditions: ['workerd', 'edge-light', 'worker', 'module'],
      target: 'es2024',
      // import() of what is not in the bundle becomes a call of require.
      supported: { 'dynamic-import': false },
      banner: { js: '((require, __assets) => {' },
      charset: 'utf8',
      keepNames: true,
      legalComments: 'none',
      jsx: 'automatic',
      jsxImportSource: jsxSource(project.root),
      minifySyntax: true,
      sourcemap: 'external',
      metafile: true,
      logLevel: 'silent',
      // Paths become names of functions: relative to the project, so that they do not depend on where the tool is started.
      absWorkingDir: project.root,
      // What packages read without asking whether there is a process, and what they call the global object.
      define: { 'process.env.NODE_ENV': '"production"', 'process.env.NODE_DEBUG': 'undefined', global: 'globalThis' },
      inject: [own('@xen-ts/runtime/web/inject.ts')],
      plugins: [ownAssets(project.root, (name, path) => modules.set(name, path)), ownPackages(), ownFactories()],
    })
  } catch (error) {
    throw (error as BuildFailure).errors ? await bundleError((error as BuildFailure).errors, project.root, target) : error
  }
}
