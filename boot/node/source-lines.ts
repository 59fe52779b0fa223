/**
 * QuickJS tells line and column of a place in the source by counting from the place that it was asked for last (get_line_col_cached). What
 * initialises the fields of a class has no place of its own there but the very beginning of the source: so for each class it counted back from
 * the class to the beginning, and forth again. Of the time that a bundle of a megabyte takes to compile, six parts in seven were this.
 *
 * In Node's copy of the engine the function answers for the beginning at once, line 0 and column 0, and keeps the place that it knew: what it
 * says is the same. (The kernel's copy compiles nothing of that length.)
 */
import { findSection, leb, readLeb, withSection } from './sections.ts'

/**
 * A piece of the function: its loop over the bytes in front of a place, up to a line feed, which counts those that are no continuation of UTF-8.
 * No other function has it.
 */
const loop = [
  ...[0x2c, 0, 0, 0x22, 7], // local.tee 7 (i32.load8_s)
  ...[0x41, 0x0a, 0x46, 0x0d, 2], // br_if 2 (== '\n')
  ...[0x20, 4, 0x20, 7, 0x41, 0xbf, 0x7f, 0x4a, 0x6a, 0x21, 4], // local 4 += local 7 > -65
]

/** What is done first. Parameters: the cache { u8 *place, int line, int column, u8 *source }, int *column, u8 *place; the result is the line. */
const beginning = [
  ...[0x20, 2, 0x20, 0, 0x28, 2, 12, 0x46, 0x04, 0x40], // if (place == cache->source) {
  ...[0x20, 1, 0x41, 0, 0x36, 2, 0], // *column = 0
  ...[0x41, 0, 0x0f, 0x0b], // return 0 }
]

/** A function's body in the module: from `start`, where its local variables are declared, to `end`; `index` counts those without imports. */
interface Body {
  readonly index: number
  readonly start: number
  readonly end: number
}

/** The function that tells lines. @throws Error unless there is exactly one */
export function findLines(wasm: Uint8Array): Body {
  const code = findSection(wasm, 'code')
  const bytes = Buffer.from(wasm.buffer, wasm.byteOffset, wasm.length)
  const found: Body[] = []
  let [left, at] = readLeb(wasm, code.start)
  for (let index = 0; left > 0; left--, index++) {
    const [length, start] = readLeb(wasm, at)
    at = start + length
    if (bytes.subarray(start, at).includes(Buffer.from(loop))) found.push({ index, start, end: at })
  }
  if (found.length !== 1) throw new Error(`the engine has ${found.length} functions that tell lines of the source, expected 1`)
  return found[0]
}

/** The same engine, which compiles long texts in the time that they take. */
export function withQuickLines(wasm: Uint8Array): Uint8Array<ArrayBuffer> {
  const code = findSection(wasm, 'code')
  const { start, end } = findLines(wasm)
  let [groups, instructions] = readLeb(wasm, start)
  for (; groups > 0; groups--) instructions = readLeb(wasm, instructions)[1] + 1 // a number of variables, and their type
  const variables = wasm.subarray(start, instructions)
  const rest = wasm.subarray(instructions, end)
  const before = start - leb(end - start).length
  const head = Uint8Array.from(leb(variables.length + beginning.length + rest.length))
  return withSection(
    wasm,
    'code',
    wasm.subarray(code.start, before),
    head,
    variables,
    Uint8Array.from(beginning),
    rest,
    wasm.subarray(end, code.end),
  )
}
