import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { NamedModule } from '@xen-ts/boot/wasm'
import { type BuildFailure, type BuildOptions, build, type Metafile, type Plugin } from 'esbuild'
import { type AssetReport, assetTable, ownAssets } from './assets.ts'
import { buildModules } from './build-modules.ts'
import './bundler.ts'
import { withVar } from './dead-zones.ts'
import { kindsOf, leftOut, type NetworkKind, networkKinds, partsOf } from './facts.ts'
import { absentGlobals } from './globals.ts'
import { jsxSource, ownFactories } from './jsx.ts'
import { localeWarnings } from './locales.ts'
import { bundleError, showWarning } from './messages.ts'
import { headingsOf, withModuleNames } from './module-names.ts'
import { absentRequire } from './modules.ts'
import { blank } from './names.ts'
import { reword } from './overflow.ts'
import { isOwn } from './own.ts'
import { buildDefaults, ownPackages, without } from './plugins.ts'
import { positionsOf } from './positions.ts'
import { plainPlaces, withPlain } from './private-fields.ts'
import type { Project } from './project.ts'
import { factsOf, findingsIn, rangesOf, sectionsOf, usesInSections } from './sections.ts'
import { usedGlobals } from './target-globals.ts'
import type { FoundTarget } from './targets.ts'
import { programCode, webGlobals, webNamesOf } from './web-names.ts'
import { embeddedImport, embeddedModules, wasmModules, webAssembly } from './webassembly.ts'

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
  /** Names that are declared nowhere in it. */
  freeNames(): ReadonlySet<string>
  readonly assets: readonly AssetReport[]
  /** Modules of WebAssembly that it imports. */
  readonly wasm: readonly NamedModule[]
  /** For makeSnapshot: what __bytes(i) gives. */
  readonly bytes: readonly Uint8Array[]
}

/** What esbuild calls the main module that the tool writes: a name that no file of a project has. */
export const MAIN = '<main>'

/**
 * The directive of the function that a bundle is. Modules are strict (ECMA-262 11.2.2), and a bundle, which is a script, is not by itself: esbuild adds
 * the directive only where tsconfig.json asks for it, and not to the functions that it takes out of a module.
 */
export const STRICT = '"use strict";'

const own = (module: string) => fileURLToPath(import.meta.resolve(module))

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

/**
 * Bundles a program for a target. What the generated main module imports statically is evaluated at build time; the program
 * itself is imported dynamically, which makes esbuild wrap it in a function that runs at boot.
 */
export async function bundleProgram(project: Project, target: FoundTarget, given: MainModule & { code?: string } = {}): Promise<Bundle> {
  const code = given.code ?? (await readProgram(project, target))
  const facts = factsOf(code, project)
  const globals = usedGlobals(facts, target.globals ?? [])
  // What targets add to the global object is to reach others with.
  const used = (target.target.uses ?? []).flatMap(kind => kindsOf(kind))
  const kinds = networkKinds(facts, relative(process.cwd(), project.entry)).union(
    new Set<NetworkKind>([...used, ...(globals.length > 0 ? kindsOf('stack') : [])]),
  )
  const web = webParts(code, project.root)
  const main = mainModule(project, target, web.imports, globals, given)
  const modules = new Map<string, string>()
  const result = await reported(project, target, () =>
    build({
      ...optionsFor(project, modules, without(leftOut(kinds, partsOf(target)))),
      stdin: { contents: main, resolveDir: project.root, sourcefile: MAIN, loader: 'ts' },
      write: false,
      metafile: true,
    }),
  )
  const text = (ending: string) => result.outputFiles.find(file => file.path.endsWith(ending))!.text
  const script = withModuleNames(text('.js'), new Set(Object.keys(result.metafile.inputs)), project.root)
  const map = text('.map')
  const place = positionsOf(script, map, project.root)
  const whole = `${script}})`
  const sections = sectionsOf(script, headingsOf(Object.keys(result.metafile.inputs), project.root), project.root)
  const found = findingsIn(script, whole, sections, project.root, `${project.entry} ${target.module}`)
  const free = new Set(found.used).difference(new Set(found.declared))
  const { table, bytes, reports } = assetTable(found.assets, modules, place)
  const reworded = reword(script, rangesOf(found.overflow))
  return {
    code: `${blank(withPlain(withVar(reworded, rangesOf(found.lexical)), plainPlaces(found.fields, found.bases)), rangesOf(found.needless))}})(${absentRequire(result.metafile, target.name)}, ${table})\n`,
    map,
    metafile: result.metafile,
    warnings: [
      ...(await Promise.all(result.warnings.map(warning => showWarning(warning, project.root, target.name)))),
      ...localeWarnings(found.locales, place, isOwn),
      ...web.warnings,
    ],
    network: kinds.size > 0,
    globalWarnings: present => absentGlobals(usesInSections(script, whole, sections, free.difference(new Set(present)), place), place),
    freeNames: () => free,
    assets: reports,
    wasm: wasmModules(result.metafile, project.root),
    bytes,
  }
}

/** The module that ties target and program together: by a main.ts of the program, where there is one. */
function mainModule(
  project: Project,
  target: FoundTarget,
  webImports: readonly string[],
  globals: readonly string[],
  { main, defaults = [] }: MainModule,
): string {
  const { name, version } = project
  const options = Object.entries({ name, version, elsewhere: target.elsewhere }).map(([key, value]) => `${key}: ${JSON.stringify(value)}`)
  const start = [
    `import { boot } from ${JSON.stringify(own('@xen-ts/runtime/guest'))}`,
    `import { ${['target', 'connect', ...globals.map(name => `${name} as __${name}`)].join(', ')} } from ${JSON.stringify(target.module)}`,
    `boot({ target, connect, ${globals.length > 0 ? `globals: { ${globals.map(name => `${name}: __${name}`).join(', ')} }, ` : ''}${options.join(', ')}, program: () => import(${JSON.stringify(project.entry)}) })`,
  ]
  return [...webImports, ...defaultsImport(defaults), ...(main === undefined ? start : [`import ${JSON.stringify(main)}`])].join('\n')
}

/** What a program needs of the web platform, as imports that come before it. @param root of the project */
export function webParts(code: string, root: string): { imports: string[]; warnings: readonly string[] } {
  const { hashes, warnings } = embeddedModules(code, root)
  const names = new Set([...webNamesOf(code), ...(hashes.length > 0 ? ['webassembly'] : [])])
  const web = names.size === 0 ? [] : [`import ${JSON.stringify(`xen-ts-web:${[...names].sort()}`)}`]
  return { imports: [...embeddedImport(hashes), ...web], warnings }
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
    throw (error as BuildFailure).errors ? await bundleError((error as BuildFailure).errors, project.root, target.name) : error
  }
}
