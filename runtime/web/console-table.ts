/** console.table: https://console.spec.whatwg.org/#table , drawn as in Node. In an image whose program calls it. */
import { inspect } from '../format.ts'
import { tables } from './console.ts'

/** From now on console.table draws tables. */
export function addTables(): void {
  tables.show = showTable
}

const INDEX = '(index)'
const ITERATION = '(iteration index)'
const VALUES = 'Values'

const isPrimitive = (value: unknown): boolean => value === null || (typeof value !== 'object' && typeof value !== 'function')

function showTable(data: unknown, only?: unknown): string {
  if (isPrimitive(data)) return typeof data === 'string' ? data : inspect(data)
  if (only !== undefined && !Array.isArray(only))
    throw new TypeError('console.table: the second argument must be an array with names of columns')
  if (data instanceof Map) {
    const entries = [...data]
    return draw([ITERATION, 'Key', VALUES], [...entries.keys()].map(String), [
      entries.map(([key]) => cell(key)),
      entries.map(([, item]) => cell(item)),
    ])
  }
  if (data instanceof Set)
    return draw(
      [ITERATION, VALUES],
      [...data].map((_, i) => String(i)),
      [[...data].map(cell)],
    )
  const index = Object.keys(data as object)
  const columns = new Map<string, string[]>((only ?? []).map(name => [String(name), []]))
  const values: string[] = []
  for (const [i, key] of index.entries()) {
    const row = (data as Record<string, unknown>)[key]
    if (isPrimitive(row)) {
      values[i] = cell(row)
      continue
    }
    for (const name of only === undefined ? Object.keys(row as object) : columns.keys()) {
      if (!Object.hasOwn(row as object, name)) continue
      let column = columns.get(name)
      if (column === undefined) columns.set(name, (column = []))
      column[i] = cell((row as Record<string, unknown>)[name])
    }
  }
  const hasValues = values.length > 0
  return draw([INDEX, ...columns.keys(), ...(hasValues ? [VALUES] : [])], index, [...columns.values(), ...(hasValues ? [values] : [])])
}

/** A value in a line. */
const cell = (value: unknown): string => inspect(value).replace(/\s*\n\s*/g, ' ')

/** @param columns may have holes */
function draw(head: readonly string[], index: readonly string[], columns: readonly (readonly string[])[]): string {
  const all = [index, ...columns]
  const widths = all.map((column, i) => column.reduce((width, text) => Math.max(width, text.length), head[i].length) + 2)
  const line = (left: string, between: string, right: string): string => left + widths.map(width => '─'.repeat(width)).join(between) + right
  const row = (cells: readonly string[]): string => `│${cells.map((text, i) => ` ${text}`.padEnd(widths[i])).join('│')}│`
  return [
    line('┌', '┬', '┐'),
    row(head),
    line('├', '┼', '┤'),
    ...index.map((_, i) => row(all.map(column => column[i] ?? ''))),
    line('└', '┴', '┘'),
  ].join('\n')
}
