/**
 * V8's message of a stack overflow, which packages compare with: react-dom goes on with a new stack then. QuickJS says it in other words,
 * so these are put in the place of V8's, in as many columns: all else stays where the source map says.
 */
import type { AnyNode, Visitor } from './syntax.ts'

const V8 = 'Maximum call stack size exceeded'
const QUICKJS = 'stack overflow'

interface Range {
  readonly start: number
  readonly end: number
}

const isEquality = (node: AnyNode | undefined): boolean =>
  (node?.type === 'BinaryExpression' && /^[!=]==?$/.test(node.operator)) || node?.type === 'SwitchCase'

/** Collects the texts to replace: for walk(). */
export function overflowMessages(): { visit: Visitor; ranges: Range[] } {
  const ranges: Range[] = []
  return {
    ranges,
    visit(node, above) {
      if (node.type === 'Literal' && node.value === V8 && isEquality(above.at(-1))) ranges.push(node)
    },
  }
}

export function reword(code: string, ranges: readonly Range[]): string {
  let text = code
  for (const { start, end } of ranges) text = text.slice(0, start) + `'${QUICKJS}'`.padEnd(end - start) + text.slice(end)
  return text
}
