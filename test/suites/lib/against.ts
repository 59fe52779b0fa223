/** What changed since another run: --against=DIR, the --out of that run. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Options } from './options.ts'

/**
 * Prints which lines of a list of failures are new, and how many are gone.
 * @param key what a line is about, or undefined for a line that is no failure
 */
export function printChanges(options: Options, file: string, key: (cells: readonly string[]) => string | undefined): void {
  const other = options.against
  if (other === undefined) return
  const path = join(other, file)
  if (!existsSync(path)) return console.log(`\nthere is no ${path} to compare with`)
  const read = (from: string) =>
    new Set(
      readFileSync(from, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map(line => key(line.split('\t')))
        .filter(each => each !== undefined),
    )
  const before = read(path),
    now = read(join(options.out, file))
  const added = [...now].filter(each => !before.has(each)),
    gone = [...before].filter(each => !now.has(each))
  console.log(`\nagainst ${other}: ${gone.length} failures are gone, ${added.length} are new${added.length > 0 ? ':' : ''}`)
  for (const each of added.slice(0, 40)) console.log(`  ${each.slice(0, 200)}`)
  if (added.length > 40) console.log(`  and ${added.length - 40} more`)
}
