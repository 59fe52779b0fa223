/** docs/compatibility.md: its tables are made by `npm run compatibility`, and compared with what is so by tests. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const path = join(import.meta.dirname, '../../docs/compatibility.md')

/** Cells of a table's row; the last is a size in KiB, or empty. */
export type Row = readonly string[]

/** A table stands between two comments that name it. */
const place = (table: string) => new RegExp(`(<!-- ${table}: [^>]*-->\n\n)(?:\\|.*\n)*(\n<!-- end of ${table} -->)`)

const written = (cells: Row) => `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |\n`

const cellsOf = (line: string): Row =>
  line
    .slice(2, -2)
    .split(' | ')
    .map(cell => cell.trim().replaceAll('\\|', '|'))

/** The rows of a table as the page has them. */
export function rowsOf(table: string): Row[] {
  const found = place(table).exec(readFileSync(path, 'utf8'))
  if (found === null) throw new Error(`docs/compatibility.md has no table ${table}`)
  const lines = found[0].split('\n').filter(line => line.startsWith('|'))
  return lines.slice(2).map(cellsOf)
}

export function writeTable(table: string, head: Row, rows: readonly Row[]): void {
  const text = [written(head), written(head.map((_, i) => (i === head.length - 1 ? '--:' : '---'))), ...rows.map(written)].join('')
  writeFileSync(
    path,
    readFileSync(path, 'utf8').replace(place(table), (_all, before: string, after: string) => before + text + after),
  )
}

/** Whether two rows say the same: sizes may differ by 4 KiB (the heap's pages) or a tenth. */
export function isSame(a: Row, b: Row): boolean {
  const [sizeA, sizeB] = [a.at(-1), b.at(-1)]
  const text = (row: Row) => row.slice(0, -1).join('|').replace(/\s+/g, ' ')
  if (text(a) !== text(b) || (sizeA === '') !== (sizeB === '')) return false
  return Math.abs(Number(sizeA) - Number(sizeB)) <= Math.max(4, Number(sizeA) / 10)
}

/** What to say of a page that is wrong. */
export const renew = 'if that is right: npm run compatibility'
