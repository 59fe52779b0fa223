/** Which device kinds of ours a program describes, as far as its bundle shows it: the functions for them have the kinds' names. */
import { isOwn } from './own.ts'
import type { Place } from './positions.ts'
import type { AnyNode, Visitor } from './syntax.ts'

/** Where those functions are. */
const describers = /\/(runtime\/devices\/\w+|drivers\/devices|qubes\/devices)\.ts$/

export interface KindUse {
  readonly kind: string
  /** Offset in the bundle. */
  readonly at: number
}

/** Collects uses: for walk(). */
export function kindUses(): { visit: Visitor; uses(place: (offset: number) => Place | undefined): KindUse[] } {
  const named: { node: AnyNode & { type: 'Identifier' }; parent: AnyNode }[] = []
  const isDefinition = (parent: AnyNode, node: AnyNode): boolean =>
    (parent.type === 'AssignmentExpression' && parent.left === node) ||
    ((parent.type === 'VariableDeclarator' || parent.type === 'FunctionDeclaration') && parent.id === node)
  return {
    visit(node, above) {
      const parent = above.at(-1)
      if (node.type === 'Identifier' && parent) named.push({ node, parent })
    },
    uses(place) {
      const functions = new Set(
        named
          .filter(({ node, parent }) => isDefinition(parent, node) && describers.test(place(node.start)?.file ?? ''))
          .map(({ node }) => node.name),
      )
      return named.flatMap(({ node, parent }) => {
        if (!functions.has(node.name) || parent.type !== 'CallExpression' || parent.callee !== node) return []
        const at = place(node.start)
        // esbuild tells names apart by a number at their end.
        return at === undefined || isOwn(at.file) ? [] : [{ kind: node.name.replace(/\d+$/, ''), at: node.start }]
      })
    },
  }
}
