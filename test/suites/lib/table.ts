/** A table as Markdown; numbers stand right. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const text = (cell: string | number) => (typeof cell === 'number' ? cell.toLocaleString('en') : cell)
  const all = [head.map(String), ...rows.map(row => row.map(text))]
  const widths = head.map((_, i) => Math.max(...all.map(row => row[i].length)))
  const right = head.map((_, i) => rows.length > 0 && rows.every(row => typeof row[i] === 'number'))
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, i) => (right[i] ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join(' | ')} |`
  return [
    line(all[0]),
    `|${widths.map((width, i) => '-'.repeat(width + 1) + (right[i] ? ':' : '-')).join('|')}|`,
    ...all.slice(1).map(line),
  ].join('\n')
}

/** How often each text occurs, most often first. */
export function tally(texts: Iterable<string>): [string, number][] {
  const counts = new Map<string, number>()
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1])
}
