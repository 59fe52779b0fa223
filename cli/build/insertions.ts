import { decode, encode } from '@jridgewell/sourcemap-codec'
import { lineOf, lineStarts } from './positions.ts'

export interface Insertion {
  readonly at: number
  /** Without line breaks. */
  readonly text: string
}

/** Inserts texts into a bundle; its source map (JSON) follows. */
export function insert(code: string, map: string, insertions: readonly Insertion[]): { code: string; map: string } {
  if (insertions.length === 0) return { code, map }
  const json = JSON.parse(map)
  const mappings = decode(json.mappings)
  const starts = lineStarts(code)
  // From the end to the start: what lies before a place keeps its offset. Of two at one place the later is put first.
  const last = insertions.map((one, i) => ({ ...one, i })).sort((a, b) => b.at - a.at || b.i - a.i)
  const pieces: string[] = []
  let end = code.length
  for (const { at, text } of last) {
    pieces.push(code.slice(at, end), text)
    end = at
    const { line, column } = lineOf(starts, at)
    for (const segment of mappings[line] ?? []) if (segment[0] >= column) segment[0] += text.length
  }
  pieces.push(code.slice(0, end))
  json.mappings = encode(mappings)
  return { code: pieces.reverse().join(''), map: JSON.stringify(json) }
}
