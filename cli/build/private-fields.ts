/**
 * Private fields of xen-ts's own inner classes become plain properties: QuickJS looks a private name up in a variable first, and a request on a
 * connection reads some hundred of them. Programs' classes, and those of ours that programs are given, keep theirs.
 *
 * A field stays private when its class has one with `static`, is derived or derived from (another class's field of that name may be in the same
 * object), or asks `#x in`. Private methods and fields that begin as functions stay: a stack trace shows their names.
 *
 * `#` becomes a letter that no source of ours has, so that names cannot meet, inspection knows what to leave out (runtime/format.ts), and all
 * else stays where the source map says.
 */
import type { AnyNode, Visitor } from './syntax.ts'

/** U+01C0, a letter of Khoisan languages. Also in runtime/format.ts. */
const LETTER = 'ǀ'

/** Where classes are that no program is given, but by others of ours. */
const inner =
  /^(?:runtime\/(?:loop|timer-heap)|drivers\/(?:event-channel|grant-table|wakeup|shared-pages|netfront\/.*|xenbus\/.*|vchan\/.*)|stack\/(?:ip\/.*|wire\/.*|tcp\/(?!stream).*|http\/(?:server|message)\/.*))\.ts$/

/** @param path of a file of ours, as the workspace has it */
export const isInner = (path: string): boolean => inner.test(path)

interface Class {
  readonly names: ReadonlySet<string>
  readonly fields: ReadonlySet<string>
  /** Places of `#`. */
  readonly uses: { readonly name: string; readonly at: number }[]
  /** What others can call it. */
  readonly ids: readonly string[]
  readonly isSafe: boolean
  readonly refused: Set<string>
}

/** A class whose fields can become plain, unless another is derived from it: what others can call it, and the places of `#`. */
export interface PlainClass {
  readonly ids: readonly string[]
  readonly places: readonly number[]
}

/**
 * Collects classes whose fields can become plain: for walk(). `isInnerAt`: whether a class that begins there may be changed; `bases`: names of
 * classes that others are derived from.
 */
export function privateFields(isInnerAt: (offset: number) => boolean): {
  visit: Visitor
  readonly bases: ReadonlySet<string>
  found(): PlainClass[]
} {
  const classes = new Map<AnyNode, Class>()
  const bases = new Set<string>()

  const enter = (node: AnyNode & { type: 'ClassDeclaration' | 'ClassExpression' }, parent: AnyNode | undefined): void => {
    if (node.superClass?.type === 'Identifier') bases.add(node.superClass.name)
    const [names, fields] = [new Set<string>(), new Set<string>()]
    let hasStatic = false
    for (const member of node.body.body) {
      if (member.type === 'StaticBlock' || member.key.type !== 'PrivateIdentifier') continue
      names.add(member.key.name)
      if (member.static) hasStatic = true
      if (member.type === 'PropertyDefinition' && !isFunction(member.value)) fields.add(member.key.name)
    }
    const variable = parent?.type === 'VariableDeclarator' && parent.id.type === 'Identifier' ? parent.id.name : undefined
    classes.set(node, {
      names,
      fields,
      uses: [],
      ids: [variable, node.id?.name].filter(name => name !== undefined),
      isSafe: !node.superClass && !hasStatic && fields.size > 0 && isInnerAt(node.start),
      refused: new Set(),
    })
  }

  return {
    visit(node, above) {
      if (node.type === 'ClassDeclaration' || node.type === 'ClassExpression') return enter(node, above.at(-1))
      if (node.type !== 'PrivateIdentifier') return
      for (let i = above.length - 1; i >= 0; i--) {
        const around = classes.get(above[i]!)
        if (!around?.names.has(node.name)) continue
        if (above.at(-1)!.type === 'BinaryExpression') around.refused.add(node.name)
        return void around.uses.push({ name: node.name, at: node.start })
      }
    },
    bases,
    found: () =>
      [...classes.values()]
        .filter(({ isSafe, ids }) => isSafe && ids.length > 0)
        .map(({ ids, uses, fields, refused }) => ({
          ids,
          places: uses.filter(({ name }) => fields.has(name) && !refused.has(name)).map(({ at }) => at),
        })),
  }
}

/** The places of `#` to replace, when these are all classes of a bundle, and all names that others are derived from. */
export function plainPlaces(classes: readonly PlainClass[], bases: Iterable<string>): number[] {
  const all = new Set(bases)
  return classes.filter(({ ids }) => !ids.some(id => all.has(id))).flatMap(({ places }) => places)
}

/** It is called by the name of its field. */
const isFunction = (value: AnyNode | null | undefined): boolean =>
  value?.type === 'ArrowFunctionExpression' || value?.type === 'FunctionExpression' || value?.type === 'ClassExpression'

/** The code with these, as long as before. */
export function withPlain(code: string, places: readonly number[]): string {
  const pieces: string[] = []
  let end = 0
  for (const place of [...places].sort((a, b) => a - b)) {
    pieces.push(code.slice(end, place), LETTER)
    end = place + 1
  }
  return pieces.join('') + code.slice(end)
}
