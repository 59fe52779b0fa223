/**
 * The calls of `assets` (own-assets.ts), read from the bundle, and what the folders hold: it is handed to the bundle as `__assets`, a table from
 * module and path to files. The bundle's text has no bytes of them.
 */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import type { AssetCoding } from '@xen-ts/runtime'
import { nearest } from '@xen-ts/runtime/machine'
import { CliError } from '../errors.ts'
import { type BuiltFile, readFolder } from './asset-files.ts'
import { prefix } from './own-assets.ts'
import { type Place, showPlace } from './positions.ts'
import type { AnyNode, Visitor } from './syntax.ts'

/** What became of a folder. */
export interface AssetReport {
  /** Absolute path. */
  readonly folder: string
  readonly files: number
  readonly bytes: number
  /** Of their compressed variants, in addition. */
  readonly compressedBytes: number
  /** Names that begin with a dot, and what is neither file nor folder. */
  readonly leftOut: readonly string[]
}

/** A call, or another use, of a module's `assets`. */
export interface AssetUse {
  readonly name: string
  readonly at: number
  /** The literal path; undefined when there is none; `false` when it is no call. */
  readonly path: string | undefined | false
  /** The literal option; undefined when it is not given, `null` when it is something else than a literal that is allowed. */
  readonly compress: false | readonly AssetCoding[] | undefined | null
}

/** Collects uses: for walk(). */
export function assetUses(): { visit: Visitor; uses: AssetUse[] } {
  const uses: AssetUse[] = []
  return {
    uses,
    visit(node, above) {
      if (node.type !== 'Identifier' || !node.name.startsWith(prefix)) return
      const parent = above.at(-1)
      // Its definition, the getter of a module's object, and (below) what keepNames adds.
      if (parent?.type === 'FunctionDeclaration' || (parent?.type === 'ArrowFunctionExpression' && above.at(-2)?.type === 'Property'))
        return
      if (parent?.type === 'CallExpression' && parent.callee.type === 'Identifier' && parent.callee.name === '__name') return
      if (parent?.type !== 'CallExpression' || parent.callee !== node)
        uses.push({ name: node.name, at: node.start, path: false, compress: undefined })
      // Files by themselves, as tests have them.
      else if (parent.arguments[0]?.type !== 'ObjectExpression')
        uses.push({ name: node.name, at: node.start, path: textOf(parent.arguments[0]), compress: compressOf(parent.arguments[1]) })
    },
  }
}

function textOf(node: AnyNode | undefined): string | undefined {
  if (node?.type === 'Literal' && typeof node.value === 'string') return node.value
  return node?.type === 'TemplateLiteral' && node.expressions.length === 0 ? (node.quasis[0].value.cooked ?? undefined) : undefined
}

const codings: readonly AssetCoding[] = ['gzip', 'br']

/** `!1` is what `false` may have become. */
const isFalse = (node: AnyNode): boolean =>
  (node.type === 'Literal' && node.value === false) ||
  (node.type === 'UnaryExpression' && node.operator === '!' && node.argument.type === 'Literal' && node.argument.value === 1)

function compressOf(options: AnyNode | undefined): AssetUse['compress'] {
  if (options === undefined) return undefined
  if (options.type !== 'ObjectExpression' || options.properties.length > 1) return null
  const [property] = options.properties
  if (property === undefined) return undefined
  if (property.type !== 'Property' || property.computed) return null
  const { key, value } = property
  if ((key.type === 'Identifier' ? key.name : textOf(key)) !== 'compress') return null
  if (isFalse(value)) return false
  if (value.type !== 'ArrayExpression') return null
  const named = value.elements.map(element => codings.find(coding => element !== null && coding === textOf(element)))
  return named.includes(undefined) ? null : (named as AssetCoding[])
}

/**
 * Reads the folders that are used, and makes the table.
 * @param modules path of the module by the name of its function
 * @param available codings that files may be compressed in
 * @returns `table`: an expression for `__assets`; `bytes`: what __bytes(i) in it gives, by i
 * @throws CliError for a path that is not known, no folder, or has a link that cannot be followed
 */
export function assetTable(
  uses: readonly AssetUse[],
  modules: ReadonlyMap<string, string>,
  place: (offset: number) => Place | undefined,
  available: readonly AssetCoding[] = codings,
): { table: string; bytes: Uint8Array[]; reports: AssetReport[] } {
  const folders = new Map<string, { id: number; folder: string; files: BuiltFile[]; leftOut: string[] }>()
  const entries = new Map<string, number>()
  for (const { name, path, at, compress } of uses) {
    const refuse = (what: string, todo: string) => {
      const found = place(at)
      return new CliError(what, found && showPlace(found), todo)
    }
    if (path === false) throw refuse('assets must be called directly', "call it with a literal path: assets('./folder')")
    if (path === undefined)
      throw refuse('assets: the path must be a literal string', "the build reads the path: write it into the call, assets('./folder')")
    if (compress === null)
      throw refuse(
        'assets: the options must be a literal { compress: ... }',
        "the build reads them: write { compress: false }, or { compress: ['gzip'] }, into the call",
      )
    const folder = resolve(dirname(modules.get(name)!), path)
    if (!existsSync(folder) || !statSync(folder).isDirectory())
      throw refuse(`assets: there is no folder ${path}`, otherFolder(path, folder))
    const wanted = available.filter(coding => compress === undefined || (compress || []).includes(coding))
    const key = `${folder} ${wanted.join()}`
    let found = folders.get(key)
    if (!found) {
      try {
        found = { id: folders.size, folder, ...readFolder(folder, path, wanted) }
      } catch (error) {
        throw refuse(`assets: ${(error as Error).message}`, 'let it lead to something within the folder, or remove it')
      }
      folders.set(key, found)
    }
    entries.set(`${name} ${JSON.stringify([path, compress])}`, found.id)
  }
  const bytes: Uint8Array[] = []
  // Computed keys: one that is called __proto__ is a key like others.
  const tagged = (variant: { etag: string; bytes: Uint8Array }) =>
    `etag: ${JSON.stringify(variant.etag)}, bytes: new Uint8Array(__bytes(${bytes.push(variant.bytes) - 1}))`
  const variants = (file: BuiltFile) =>
    file.variants.length === 0 ? '' : `, variants: { ${file.variants.map(one => `${one.coding}: { ${tagged(one)} }`).join(', ')} }`
  const entry = (file: BuiltFile) =>
    `[${JSON.stringify(file.name)}]: { type: ${JSON.stringify(file.type)}, ${tagged(file)}${variants(file)} }`
  const objects = [...folders.values()].map(({ files }) => `{ ${files.map(entry).join(', ')} }`)
  const keys = [...entries].map(([key, id]) => `[${JSON.stringify(key)}, folders[${id}]]`)
  return {
    table: entries.size === 0 ? 'undefined' : `(folders => new Map([${keys.join(', ')}]))([${objects.join(', ')}])`,
    bytes,
    reports: [...folders.values()].map(({ folder, files, leftOut }) => ({
      folder,
      files: files.length,
      bytes: total(files),
      compressedBytes: total(files.flatMap(file => file.variants)),
      leftOut,
    })),
  }
}

const total = (files: readonly { bytes: Uint8Array }[]): number => files.reduce((sum, { bytes }) => sum + bytes.length, 0)

/** What to do about a path (as written, and resolved) that is no folder. */
function otherFolder(path: string, folder: string): string {
  const beside = dirname(folder)
  const names = existsSync(beside) ? readdirSync(beside, { withFileTypes: true }).flatMap(one => (one.isDirectory() ? one.name : [])) : []
  const near = nearest(basename(folder), names)
  if (near === undefined || !path.endsWith(basename(folder))) return 'the path is relative to the file that calls assets'
  return `did you mean ${path.slice(0, -basename(folder).length)}${near}? The path is relative to the file that calls assets`
}
