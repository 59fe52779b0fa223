/** The bundle as a tree: what the build must know of it, esbuild does not tell. esbuild has resolved imports and folded constants. */
import { type AnyNode, type Node, type Program, parse } from 'acorn'

export type { AnyNode, Program }

/** The last tree: several look at the same text, one after the other, and to read it takes as long as a bundle does. Nobody changes it. */
let last: { readonly code: string; readonly sourceType: string; readonly tree: Program } | undefined

export function treeOf(code: string, sourceType: 'script' | 'module' = 'script'): Program {
  if (last?.code !== code || last.sourceType !== sourceType)
    last = { code, sourceType, tree: parse(code, { ecmaVersion: 'latest', sourceType }) }
  return last.tree
}

const isNode = (value: unknown): value is AnyNode => typeof (value as Node | null)?.type === 'string'

/** Sees each node, outer ones first. `above`: the nodes around it, the nearest last; it changes afterwards. */
export type Visitor = (node: AnyNode, above: readonly AnyNode[]) => void

export function walk(tree: Program, ...visitors: readonly Visitor[]): void {
  const above: AnyNode[] = []
  const go = (node: AnyNode) => {
    for (const visit of visitors) visit(node, above)
    above.push(node)
    for (const key in node) {
      const value: unknown = node[key as keyof AnyNode]
      if (Array.isArray(value)) {
        for (const one of value) if (isNode(one)) go(one)
      } else if (isNode(value)) go(value)
    }
    above.pop()
  }
  go(tree)
}
