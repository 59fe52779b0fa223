import { resolve } from 'node:path'
import type { Metafile } from 'esbuild'
import { ownFolder, ownPath } from './own.ts'

/** What runs a script with the Node that runs the tool. One that is a package is no command of a shell: there may be none, or one that is too old. */
export const nodeCommand = (execPath: string): string => (/[/\\]node_modules[/\\]/.test(execPath) ? 'npx node' : 'node')

/** A row of the size tree. */
export interface SizeRow {
  readonly name: string
  readonly bytes: number
  readonly parts?: readonly SizeRow[]
}

/**
 * The share of each package in the bundle, in bytes of script, largest first. `root`: what the bundle's paths are relative to.
 * @param files whether each package has its files as parts
 */
export function bundleShares(metafile: Metafile, root: string, files = false): SizeRow[] {
  const shares = new Map<string, SizeRow[]>()
  for (const output of Object.values(metafile.outputs)) {
    for (const [path, { bytesInOutput: bytes }] of Object.entries(output.inputs)) {
      if (bytes === 0) continue
      const owner = ownerOf(path, root)
      const rows = shares.get(owner)
      const row = { name: fileName(path, root), bytes }
      if (rows) rows.push(row)
      else shares.set(owner, [row])
    }
  }
  return bySize(
    [...shares].map(([name, rows]) => ({
      name,
      bytes: rows.reduce((sum, { bytes }) => sum + bytes, 0),
      ...(files && { parts: bySize(rows) }),
    })),
  )
}

const bySize = (rows: SizeRow[]): SizeRow[] => rows.sort((a, b) => b.bytes - a.bytes)

/** Within its package: where a path leads to without what leads to the package. */
const fileName = (path: string, root: string): string =>
  /^own-assets:.*\/(.+)/.exec(path)?.[1].replace(/^/, 'assets of ') ??
  /.*node_modules\/(?:@[^/]+\/)?[^/]+\/(.+)/.exec(path)?.[1] ??
  ownPath(resolve(root, path)) ??
  path

/** Modules that are no files: the tool wrote them. */
const made = /^(?:<main>$|(?:own-assets|web|without|node):)/

function ownerOf(path: string, root: string): string {
  if (made.test(path)) return 'cli'
  return ownFolder(resolve(root, path)) ?? /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? 'program'
}

export function kib(bytes: number): string {
  return bytes >= 10 * 1024 * 1024 ? `${(bytes / 1048576).toFixed(1)} MiB` : `${(bytes / 1024).toFixed(1)} KiB`
}

/** Lines of a size tree with bytes and percent of the whole. */
export function sizeTree(whole: SizeRow): string[] {
  const lines = [line('', whole, whole.bytes)]
  const add = (row: SizeRow, lead: string) =>
    row.parts?.forEach((part, i) => {
      const last = i === row.parts!.length - 1
      lines.push(line(`${lead}${last ? '└─ ' : '├─ '}`, part, whole.bytes))
      add(part, `${lead}${last ? '   ' : '│  '}`)
    })
  add(whole, '')
  return lines
}

function line(lead: string, row: SizeRow, whole: number): string {
  return `${(lead + row.name).padEnd(34)} ${kib(row.bytes).padStart(11)} ${((row.bytes / whole) * 100).toFixed(1).padStart(6)}%`
}
