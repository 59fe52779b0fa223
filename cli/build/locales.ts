/** Locales that the program names and images do not have: they format as in English (@xen-ts/runtime has that of Intl alone). */
import { type Place, showPlace } from './positions.ts'
import type { AnyNode, Visitor } from './syntax.ts'

export interface LocaleUse {
  readonly locale: string
  readonly at: number
}

const methods: Readonly<Record<string, number>> = { toLocaleString: 0, toLocaleDateString: 0, toLocaleTimeString: 0, localeCompare: 1 }

/** For walk(): collects language tags that are given as they are, to methods with a locale and to constructors of Intl. */
export function foreignLocales(): { visit: Visitor; uses: LocaleUse[] } {
  const uses: LocaleUse[] = []
  const visit: Visitor = node => {
    if (node.type !== 'CallExpression' && node.type !== 'NewExpression') return
    const { callee } = node
    if (callee.type !== 'MemberExpression' || callee.computed || callee.property.type !== 'Identifier') return
    const isIntl = callee.object.type === 'Identifier' && /^Intl\d*$/.test(callee.object.name)
    const place = isIntl ? 0 : Object.hasOwn(methods, callee.property.name) ? methods[callee.property.name] : undefined
    const locale = place === undefined ? undefined : firstOf(node.arguments[place])
    if (locale !== undefined && !/^en(?:-|$)/i.test(locale)) uses.push({ locale, at: node.start })
  }
  return { visit, uses }
}

/** Of a list the first is what counts. */
function firstOf(node: AnyNode | null | undefined): string | undefined {
  if (node?.type === 'ArrayExpression') return firstOf(node.elements[0])
  return node?.type === 'Literal' && typeof node.value === 'string' ? node.value : undefined
}

/** A warning for each in a file of the program; packages know what they do. @param isOwn whether a file is of xen-ts */
export function localeWarnings(
  uses: readonly LocaleUse[],
  place: (offset: number) => Place | undefined,
  isOwn: (file: string) => boolean,
): string[] {
  return uses.flatMap(({ locale, at }) => {
    const found = place(at)
    if (found === undefined || isOwn(found.file) || found.file.includes('/node_modules/')) return []
    return [`images have English texts only, not those of ${locale}: take a package with its own, such as date-fns\n${showPlace(found)}`]
  })
}
