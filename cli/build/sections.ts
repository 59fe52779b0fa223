/**
 * A bundle by its sections: esbuild puts one module behind the other, each with a heading, as statements of one function. So each can be read
 * alone, and what was found in a section is the same wherever the section stands: it is kept for the next build (cache.ts), in which most
 * sections are as they were.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parse, version } from 'acorn'
import { type AssetUse, assetUses } from './assets.ts'
import { Cache, sha256 } from './cache.ts'
import { deadZones } from './dead-zones.ts'
import { type Facts, joinFacts, programFacts } from './facts.ts'
import { type FileUse, freeNames, type Use, usesOf } from './globals.ts'
import { foreignLocales, type LocaleUse } from './locales.ts'
import { needlessNames } from './names.ts'
import { overflowMessages } from './overflow.ts'
import { isOwn, ownPath } from './own.ts'
import type { Place } from './positions.ts'
import { isInner, type PlainClass, privateFields } from './private-fields.ts'
import type { Project } from './project.ts'
import { type Program, treeOf, walk } from './syntax.ts'

export interface Range {
  readonly start: number
  readonly end: number
}

export interface Section extends Range {
  /** Absolute path of the module, where it has one of its own. */
  readonly file: string | undefined
  readonly isOwn: boolean
  /** Private fields of its classes can be plain (private-fields.ts). */
  readonly isInner: boolean
}

/** What a bundle says, or a part of one: places are offsets in it. */
export interface Findings {
  readonly assets: readonly AssetUse[]
  readonly locales: readonly LocaleUse[]
  /** Names that are used, and those that are declared. */
  readonly used: readonly string[]
  readonly declared: readonly string[]
  /** What becomes blank, `var`, and QuickJS's message: start and end, one after the other. */
  readonly needless: readonly number[]
  readonly lexical: readonly number[]
  readonly overflow: readonly number[]
  readonly fields: readonly PlainClass[]
  readonly bases: readonly string[]
}

/**
 * The sections, the functions of esbuild in front of them included.
 * @param headings paths of modules by what stands in their headings; undefined: several modules have it
 * @param root what paths are relative to
 */
export function sectionsOf(script: string, headings: ReadonlyMap<string, string | undefined>, root: string): Section[] {
  const [opening] = /^[^]*?^\(\(\) => \{\n/m.exec(script) ?? []
  const end = script.lastIndexOf('})();')
  if (opening === undefined || end < opening.length)
    return [{ start: 0, end: script.length, file: undefined, isOwn: false, isInner: false }]
  const starts: { at: number; path: string | undefined }[] = [{ at: opening.length, path: undefined }]
  for (const { index, 1: heading } of script.matchAll(/^ {2}\/\/ (.+)$/gm))
    if (index > 0 && headings.has(heading)) starts.push({ at: index, path: headings.get(heading) })
  return starts.map(({ at, path }, i) => {
    const file = path && resolve(root, path)
    return {
      start: at,
      end: starts[i + 1]?.at ?? end,
      file,
      isOwn: file !== undefined && isOwn(file),
      isInner: file !== undefined && isInner(ownPath(file) ?? ''),
    }
  })
}

/** The tree of a section. @throws SyntaxError for one that a heading within a text has cut */
export const sectionTree = (script: string, { start, end }: Range): Program =>
  parse(script.slice(start, end), { ecmaVersion: 'latest', sourceType: 'script' })

/**
 * What is found in a bundle.
 * @param whole the bundle as a script, of which `script` is the most
 * @param root of the project
 * @param name of the program and its target
 */
export function findingsIn(script: string, whole: string, sections: readonly Section[], root: string, name: string): Findings {
  const cache = new Cache<Findings>(root, `sections-${sha256(name).slice(0, 16)}`)
  const tool = toolHash()
  try {
    const found = sections.map(section => {
      const text = script.slice(section.start, section.end)
      return cache.get(sha256(`${tool} ${section.isOwn} ${section.isInner} ${text}`), () =>
        read(sectionTree(script, section), () => section),
      )
    })
    cache.save()
    return joined(found, sections)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    const sectionAt = (at: number) => sections.find(section => at >= section.start && at < section.end)
    return read(treeOf(whole), sectionAt)
  }
}

/** A module of the program as esbuild has it without ours: sections begin with a heading, and its exports stand at the end. */
const ofProgram = /^(?:\/\/ .+|export \{)$/gm

let lastFacts: { readonly code: string; readonly facts: Facts } | undefined

/**
 * What the program's text says. Several ask, and it takes a while.
 * @param code of the program and its packages, bundled: an ES module
 */
export function factsOf(code: string, { root, entry }: Project): Facts {
  if (lastFacts?.code !== code) lastFacts = { code, facts: findFacts(code, root, entry) }
  return lastFacts.facts
}

function findFacts(code: string, root: string, name: string): Facts {
  const read = (tree: Program): Facts => {
    const { visitors, facts } = programFacts()
    walk(tree, ...visitors)
    return facts()
  }
  const cache = new Cache<Facts>(root, `program-${sha256(name).slice(0, 16)}`)
  const tool = toolHash()
  const starts = [0, ...Array.from(code.matchAll(ofProgram), ({ index }) => index), code.length]
  try {
    const parts = starts.slice(1).map((end, i) => {
      const text = code.slice(starts[i], end)
      return cache.get(sha256(`${tool} ${text}`), () => read(parse(declaring(text), { ecmaVersion: 'latest', sourceType: 'module' })))
    })
    cache.save()
    return joinFacts(parts)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return read(treeOf(code, 'module'))
  }
}

/** What is exported must be declared, and is, in another section. */
function declaring(text: string): string {
  const [, exported] = /^export \{([^}]*)\};?\s*$/.exec(text) ?? []
  const names = exported?.split(',').map(each => each.trim().split(' ')[0])
  return names === undefined ? text : `var ${names.filter(Boolean).join()};${text}`
}

/** Where a bundle uses names, xen-ts itself aside. @param place asked where a section does not tell its file */
export function usesInSections(
  script: string,
  whole: string,
  sections: readonly Section[],
  names: ReadonlySet<string>,
  place: (offset: number) => Place | undefined,
): FileUse[] {
  if (names.size === 0) return []
  const isThere = new RegExp([...names].map(RegExp.escape).join('|'))
  const placed = (use: Use, file: string | undefined): FileUse[] => {
    const found = file ?? place(use.at)?.file
    return found === undefined || isOwn(found) ? [] : [{ ...use, file: found }]
  }
  try {
    return sections.flatMap(section =>
      section.isOwn || !isThere.test(script.slice(section.start, section.end))
        ? []
        : usesOf(sectionTree(script, section), names).flatMap(use => placed({ ...use, at: use.at + section.start }, section.file)),
    )
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return usesOf(treeOf(whole), names).flatMap(use => placed(use, undefined))
  }
}

/** @param sectionAt the section that a place is in */
function read(tree: Program, sectionAt: (offset: number) => Section | undefined): Findings {
  const assets = assetUses()
  const names = needlessNames(at => sectionAt(at)?.isOwn === true)
  const free = freeNames()
  const overflow = overflowMessages()
  const zones = deadZones()
  const locales = foreignLocales()
  const fields = privateFields(at => sectionAt(at)?.isInner === true)
  walk(tree, assets.visit, names.visit, free.visit, overflow.visit, zones.visit, locales.visit, fields.visit)
  return {
    assets: assets.uses,
    locales: locales.uses,
    used: [...free.used],
    declared: [...free.declared],
    needless: flat(names.ranges),
    lexical: flat(zones.ranges()),
    overflow: flat(overflow.ranges),
    fields: fields.found(),
    bases: [...fields.bases],
  }
}

const flat = (ranges: readonly Range[]): number[] => ranges.flatMap(({ start, end }) => [start, end])

/** As ranges again. */
export const rangesOf = (flat: readonly number[]): Range[] => {
  const ranges: Range[] = []
  for (let i = 0; i < flat.length; i += 2) ranges.push({ start: flat[i], end: flat[i + 1] })
  return ranges
}

/** Parameters of the function around all sections: of an image (bundle.ts), and of a process (process-bundle.ts). */
const around = ['require', '__assets', '__node']

function joined(found: readonly Findings[], sections: readonly Section[]): Findings {
  const placed = <U extends { readonly at: number }>(of: (one: Findings) => readonly U[]): U[] =>
    found.flatMap((one, i) => of(one).map(use => ({ ...use, at: use.at + sections[i].start })))
  const moved = (of: (one: Findings) => readonly number[]): number[] =>
    found.flatMap((one, i) => of(one).map(offset => offset + sections[i].start))
  return {
    assets: placed(one => one.assets),
    locales: placed(one => one.locales),
    used: found.flatMap(one => one.used),
    declared: [...around, ...found.flatMap(one => one.declared)],
    needless: moved(one => one.needless),
    lexical: moved(one => one.lexical),
    overflow: moved(one => one.overflow),
    fields: found.flatMap(({ fields }, i) => fields.map(({ ids, places }) => ({ ids, places: places.map(at => at + sections[i].start) }))),
    bases: found.flatMap(({ bases }) => bases),
  }
}

/** The modules that findings depend on. */
const MODULES = [
  'assets',
  'dead-zones',
  'facts',
  'globals',
  'locales',
  'names',
  'overflow',
  'private-fields',
  'sections',
  'syntax',
  'target-globals',
]

let toolSum: string | undefined
function toolHash(): string {
  if (toolSum === undefined) {
    const files = readdirSync(import.meta.dirname).filter(file => MODULES.includes(file.replace(/\.[jt]s$/, '')))
    toolSum = sha256(version, ...files.sort().map(file => readFileSync(join(import.meta.dirname, file))))
  }
  return toolSum
}
