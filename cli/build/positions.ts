/** From places in the bundle to those in the sources. */
import { readFileSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { originalPositionFor, TraceMap } from '@jridgewell/trace-mapping'
import { caret } from '../errors.ts'

export interface Place {
  /** Absolute path. */
  readonly file: string
  /** From 1. */
  readonly line: number
  /** From 0. */
  readonly column: number
  /** What the symbol there is called in the source, where the bundle calls it otherwise. */
  readonly name: string | undefined
}

/** Finds the source of an offset in `code`. `root`: what the map's sources are relative to. */
export function positionsOf(code: string, map: string, root: string): (offset: number) => Place | undefined {
  let trace: TraceMap | undefined
  let starts: number[] | undefined
  return offset => {
    trace ??= new TraceMap(map)
    starts ??= lineStarts(code)
    const { line, column } = lineOf(starts, offset)
    const found = originalPositionFor(trace, { line: line + 1, column })
    if (found.source === null) return undefined
    return { file: resolve(root, found.source), line: found.line, column: found.column, name: found.name ?? undefined }
  }
}

export function lineStarts(text: string): number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}

/** Line and column of an offset, both from 0. */
export function lineOf(starts: readonly number[], offset: number): { line: number; column: number } {
  let low = 0
  for (let high = starts.length; high - low > 1; ) {
    const middle = (low + high) >>> 1
    if (starts[middle] <= offset) low = middle
    else high = middle
  }
  return { line: low, column: offset - starts[low] }
}

/** The place with its source line and a caret, for messages. */
export function showPlace({ file, line, column }: Place): string {
  const shown = relative(process.cwd(), file)
  let lineText: string | undefined
  try {
    lineText = readFileSync(file, 'utf8').split('\n')[line - 1]
  } catch {
    /* a module without a file */
  }
  return lineText === undefined ? `${shown}:${line}:${column + 1}` : caret({ file: shown, line, column, lineText })
}
