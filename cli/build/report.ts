import { resolve } from 'node:path'
import type { Metafile } from 'esbuild'
import { ownFolder } from './own.ts'

/** A row of the size tree. */
export interface SizeRow {
  readonly name: string
  readonly bytes: number
  readonly parts?: readonly SizeRow[]
}

/** The share of each package in the bundle, in bytes of script, largest first. `root`: what the bundle's paths are relative to. */
export function bundleShares(metafile: Metafile, root: string): SizeRow[] {
  const shares = new Map<string, number>()
  for (const output of Object.values(metafile.outputs)) {
    for (const [path, { bytesInOutput }] of Object.entries(output.inputs)) {
      const owner = ownerOf(path, root)
      shares.set(owner, (shares.get(owner) ?? 0) + bytesInOutput)
    }
  }
  return [...shares]
    .map(([name, bytes]) => ({ name, bytes }))
    .filter(row => row.bytes > 0)
    .sort((a, b) => b.bytes - a.bytes)
}

function ownerOf(path: string, root: string): string {
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
