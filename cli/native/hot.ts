/** The list of the hottest functions of xen-ts itself: written by `npm run hot`, read by builds. */
import { readFileSync } from 'node:fs'
import { type FunctionKey, keyText } from './keys.ts'

/** Of what is executed, the part that the list is about. What is left are hundreds of functions that run now and then. */
const COVERED = 0.995
/** Shares are in millionths of what is executed. */
const UNIT = 1_000_000

/** What the training runs against, which is in no image. */
const tests = /\/(?:sim|testing)\//

/** Whether a function is one that the list is about. */
export const isListed = (key: FunctionKey | undefined): key is FunctionKey => key?.isOwn === true && !tests.test(key.file)

/** Lines `SHARE FILE NAME`, the hottest first. */
export function hotList(counted: readonly { readonly key: FunctionKey | undefined; readonly count: number }[]): string {
  const counts = new Map<string, number>()
  for (const { key, count } of counted) if (isListed(key) && count > 0) counts.set(keyText(key), (counts.get(keyText(key)) ?? 0) + count)
  const rows = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
  const total = rows.reduce((sum, [, count]) => sum + count, 0)
  const lines: string[] = []
  let covered = 0
  for (const [key, count] of rows) {
    if (covered >= total * COVERED) break
    covered += count
    lines.push(`${Math.round((count / total) * UNIT)} ${key}`)
  }
  return lines.map(line => `${line}\n`).join('')
}

let shares: Map<string, number> | undefined

/** By the text of a function's key: what it executes of UNIT. */
export function hotShares(): ReadonlyMap<string, number> {
  shares ??= readHot(readFileSync(new URL('hot.txt', import.meta.url), 'utf8'))
  return shares
}

export function readHot(text: string): Map<string, number> {
  const found = new Map<string, number>()
  for (const line of text.split('\n')) {
    const [, share, key] = /^(\d+) (\S+ \S+)$/.exec(line) ?? []
    if (key !== undefined) found.set(key, Number(share))
  }
  return found
}
