/** What a module refers to, by a parser: a name in a comment or in a text is none. */
import { parseSync } from 'oxc-parser'

export interface Reference {
  /** As it is written: `./ring.ts`, `@xen-ts/drivers`. */
  readonly specifier: string
  /** From 1. */
  readonly line: number
}

type Node = Record<string, unknown> & { readonly type: string; readonly start: number }

const isText = (node: unknown): node is Node & { readonly value: string } =>
  isNode(node) && node.type === 'Literal' && typeof node.value === 'string'

const isNode = (value: unknown): value is Node => typeof (value as Node | null)?.type === 'string'

/** A literal that can only be the name of a module, whatever function it is given to: tests hand such names to the bundler. */
const isModuleName = (text: string): boolean => /^\.{1,2}\/[^\s*]*\.ts$|^@xen-ts\/[a-z]+\/[a-z0-9/.-]+$/.test(text)

/**
 * Of imports and exports of all kinds (those of types too), `import()`, `import.meta.resolve()`, and literals that name a
 * module of ours.
 * @throws SyntaxError with the place when the file cannot be parsed
 */
export function references(file: string, source: string): Reference[] {
  const { program, errors } = parseSync(file, source)
  if (errors.length > 0) throw new SyntaxError(`${file}: ${errors[0].message}`)
  const found = new Map<number, Reference>()
  const add = (node: unknown): void => {
    if (!isText(node)) return
    found.set(node.start, { specifier: node.value, line: source.slice(0, node.start).split('\n').length })
  }
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit)
    if (!isNode(value)) return
    const { type } = value
    if (['ImportDeclaration', 'ExportNamedDeclaration', 'ExportAllDeclaration', 'ImportExpression', 'TSImportType'].includes(type))
      add(value.source)
    else if (type === 'CallExpression' && isMetaResolve(value.callee as Node)) add((value.arguments as Node[])[0])
    else if (isText(value) && isModuleName(value.value)) add(value)
    for (const child of Object.values(value)) if (typeof child === 'object') visit(child)
  }
  visit(program)
  return [...found.values()]
}

const isMetaResolve = (callee: Node): boolean =>
  callee.type === 'MemberExpression' &&
  (callee.object as Node).type === 'MetaProperty' &&
  (callee.property as unknown as { name: string }).name === 'resolve'

/** Whether the text stands in the module as a literal: packages are also found by a name that is kept in a constant. */
export function mentions(file: string, source: string, text: string): boolean {
  if (!source.includes(text)) return false
  const visit = (value: unknown): boolean =>
    Array.isArray(value)
      ? value.some(visit)
      : isNode(value) && ((isText(value) && value.value === text) || Object.values(value).some(visit))
  return visit(parseSync(file, source).program)
}
