/** Types become blanks, and what a bundler would make otherwise of JavaScript than of TypeScript is mended. */
import { stripTypeScriptTypes } from 'node:module'
import { parseSync } from 'oxc-parser'

type Node = Record<string, unknown> & { readonly type: string; readonly start: number; readonly end: number }

export interface Stripped {
  readonly code: string
  /** Offset of the text that was put in, and its length; all else lies where it did in its line. */
  readonly directive: { readonly at: number; readonly length: number }
}

/**
 * Says what is so for every module: bundlers that make a classic script of modules take the directive over from JavaScript, and from
 * TypeScript when it has the option `strict`. Without it an image would differ from one that was built in the workspace.
 */
const STRICT = '"use strict";'

/** @throws SyntaxError for what is no TypeScript, or is more than types can be erased from */
export function strip(file: string, source: string): Stripped {
  const { program, errors } = parseSync(file, source)
  if (errors.length > 0) throw new SyntaxError(`${file}: ${errors[0].message}`)
  const code = withoutRemarks(program, stripTypeScriptTypes(source))
  const at = /^#!.*\n/.exec(code)?.[0].length ?? 0
  return { code: code.slice(0, at) + STRICT + code.slice(at), directive: { at, length: STRICT.length } }
}

/** Members of classes that were types leave their comments behind, and a bundler would keep them. */
function withoutRemarks(program: unknown, code: string): string {
  let result = code
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    const { type, body, start } = value as Node
    if (type === 'ClassBody') {
      let end = start + 1
      for (const member of body as Node[]) {
        if (code.slice(member.start, member.end).trim() === '')
          result = result.slice(0, end) + result.slice(end, member.start).replace(/[^\n]/g, ' ') + result.slice(member.start)
        end = member.end
      }
    }
    for (const child of Object.values(value)) visit(child)
  }
  visit(program)
  return result
}
