/** What a function is called in lists that outlive a build: its file, and its name there. */
import { resolve } from 'node:path'
import { originalPositionFor, TraceMap } from '@jridgewell/trace-mapping'
import { ownPath } from '../build/own.ts'

/** Of the bundle; line and column from 1 on. */
export interface PlacedFunction {
  readonly file: string
  readonly line: number
  readonly column: number
}

export interface BundleText {
  /** The script's name. */
  readonly file: string
  readonly code: string
  readonly map: string
  /** What the map's sources are relative to. */
  readonly root: string
}

export interface FunctionKey {
  /** As the workspace has it, for one of xen-ts itself: `stack/tcp/output.ts`. Else absolute. */
  readonly file: string
  readonly isOwn: boolean
  /** Without digits at its end, which the bundler adds where a name is there twice; `=>` for one without a name. */
  readonly name: string
}

const NAMELESS = '=>'
const words = String.raw`(?:(?:static|async|get|set)\s+|\*\s*)*`
const declared = /^(?:async\s+)?function\b\s*\*?\s*([\w$]+)/
const method = new RegExp(String.raw`^${words}(#?[\w$]+)\s*\(`)
const classHead = /^class\b\s*([\w$]*)/
const given = /([#\w$]+)\s*(?:=|:)\s*(?:\/\*[^*]*\*\/\s*)?(?:async\s+)?$/

/** Tells functions of the bundle by their places. undefined: the place is in no file, as that of the tool's own text. */
export function keysOf({ file, code, map, root }: BundleText): (fn: PlacedFunction) => FunctionKey | undefined {
  const trace = new TraceMap(map)
  const lines = code.split('\n')
  return fn => {
    const text = lines[fn.line - 1]
    if (fn.file !== file || text === undefined) return undefined
    const { source } = originalPositionFor(trace, { line: fn.line, column: fn.column - 1 })
    if (source === null) return undefined
    const path = resolve(root, source)
    const own = ownPath(path)
    return { file: own ?? path, isOwn: own !== undefined, name: nameAt(text, fn.column - 1).replace(/\d+$/, '') }
  }
}

/** The engine does not keep what a function is called by what it is given to: the text has it. */
function nameAt(text: string, at: number): string {
  const head = text.slice(at, at + 200)
  const name = declared.exec(head)?.[1] ?? classHead.exec(head)?.[1]
  if (name) return name
  if (!/^(?:async\s*)?(?:function\b|\(|[\w$]+\s*=>)/.test(head)) {
    const found = method.exec(head)?.[1]
    if (found !== undefined) return found
  }
  return given.exec(text.slice(0, at))?.[1] ?? NAMELESS
}

export const keyText = ({ file, name }: FunctionKey): string => `${file} ${name}`
