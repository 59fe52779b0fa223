/** Bundles a program for an image: one script for the guest's engine. */
import { relative } from 'node:path'
import type { NamedModule } from '@xen-ts/boot/wasm'
import type { Metafile } from 'esbuild'
import { type AssetReport, assetTable } from './assets.ts'
import {
  bundleFor,
  defaultsImport,
  type Guess,
  isSame,
  keepQuestion,
  type MainModule,
  own,
  type Question,
  readProgram,
  reported,
} from './bundle.ts'
import { withVar } from './dead-zones.ts'
import { kindsOf, leftOut, type NetworkKind, networkKinds, partsOf } from './facts.ts'
import { absentGlobals } from './globals.ts'
import { localeWarnings } from './locales.ts'
import { showWarning } from './messages.ts'
import { headingsOf, withModuleNames } from './module-names.ts'
import { absentRequire } from './modules.ts'
import { blank } from './names.ts'
import { reword } from './overflow.ts'
import { isOwn } from './own.ts'
import { positionsOf } from './positions.ts'
import { plainPlaces, withPlain } from './private-fields.ts'
import type { Project } from './project.ts'
import { factsOf, findingsIn, rangesOf, sectionsOf, usesInSections } from './sections.ts'
import { usedGlobals } from './target-globals.ts'
import type { FoundTarget } from './targets.ts'
import { webNamesOf } from './web-names.ts'
import { embeddedImport, embeddedModules, wasmModules } from './webassembly.ts'

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

/**
 * Bundles a program for a target. What the generated main module imports statically is evaluated at build time; the program
 * itself is imported dynamically, which makes esbuild wrap it in a function that runs at boot.
 */
export async function bundleProgram(
  project: Project,
  target: FoundTarget,
  given: MainModule & { code?: string; guess?: Guess; asked?: string } = {},
): Promise<Bundle> {
  const code = given.code ?? (await readProgram(project, target))
  const facts = factsOf(code, project)
  const globals = usedGlobals(facts, target.globals ?? [])
  // What targets add to the global object is to reach others with.
  const used = (target.target.uses ?? []).flatMap(kind => kindsOf(kind))
  const kinds = networkKinds(facts, relative(process.cwd(), project.entry)).union(
    new Set<NetworkKind>([...used, ...(globals.length > 0 ? kindsOf('stack') : [])]),
  )
  const web = await webParts(code, project.root)
  const main = mainModule(project, target, web.imports, globals, given)
  const question: Question = { main, left: leftOut(kinds, partsOf(target)) }
  const guessed = isSame(given.guess?.question, question) ? await given.guess?.answer : undefined
  const { result, modules } = guessed ?? (await reported(project, target, () => bundleFor(project, question)))
  keepQuestion(project, given.asked ?? target.name, question)
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
    wasm: await wasmModules(result.metafile, project.root),
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
export async function webParts(code: string, root: string): Promise<{ imports: string[]; warnings: readonly string[] }> {
  const { hashes, warnings } = await embeddedModules(code, root)
  const names = new Set([...webNamesOf(code), ...(hashes.length > 0 ? ['webassembly'] : [])])
  const web = names.size === 0 ? [] : [`import ${JSON.stringify(`xen-ts-web:${[...names].sort()}`)}`]
  return { imports: [...embeddedImport(hashes), ...web], warnings }
}
