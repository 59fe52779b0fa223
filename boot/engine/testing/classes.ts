/** Classes: fields, private names, accessors, static blocks, super. */
import { args, expression } from './expressions.ts'
import { body, FUEL, parameters } from './functions.ts'
import { key } from './literals.ts'
import { functionIn, type Place, variable } from './place.ts'
import { block } from './statements.ts'

export const classExpression = (place: Place): string => `(${classText(place, place.choices.chance(80) ? place.choices.name('C') : '')})`

export function classText(place: Place, name: string): string {
  const { choices } = place
  const privates = choices.list(0, 2, () => choices.name('q'))
  const base = choices.chance(120) ? (variable(place, ['class'])?.name ?? choices.of(['Object', 'Error', 'Map'])) : undefined
  const inner = functionIn(place, { inMethod: true, privates: [...place.privates, ...privates] })
  if (name !== '') inner.variables.push({ name, kind: 'class', constant: true })
  // In fields and static blocks there are no `arguments`.
  const field: Place = { ...inner, inFunction: false }
  const method = (more: Partial<Place> = {}) => functionIn(inner, { inMethod: true, ...more })
  const written = (head: string, more: Partial<Place> = {}): string => {
    const at = method(more)
    return `${head}(${parameters(at)}) ${body(at)}`
  }
  const accessors = new Set<string>()
  const accessor = (isStatic: string, at: string): string => {
    if (accessors.has(isStatic + at) && at.startsWith('#')) return `${isStatic}e() {}`
    accessors.add(isStatic + at)
    return `${isStatic}get ${at}() { ${FUEL} return p('get', ${expression(method())}) } ${isStatic}set ${at}(value) { if (!ok()) return; p('set', value) }`
  }
  const privateAccessor = choices.chance(40) ? choices.name('q') : undefined
  const members = choices.list(1, 5, () => {
    const isStatic = choices.chance(50) ? 'static ' : ''
    return choices.of([
      () => `${isStatic}${choices.of(['m', 'n', 'a'])}${written('')}`,
      () => `${isStatic}${choices.of(['a', 'b', 'x'])} = ${expression(field)};`,
      () => `${isStatic}[p('name', '${key(choices)}')] = ${expression(field)};`,
      () => accessor(isStatic, choices.of(['b', 'c', 'key'])),
      () => `static { ${block({ ...field, inLoop: false, labels: [] }, 2)} }`,
      () => `${isStatic}async m${written('', { isAsync: true })}`,
      () => `${isStatic}*[Symbol.iterator]${written('', { isGenerator: true })}`,
      () => `${isStatic}r() { ${FUEL} return super.${choices.of(['m', 'toString', 'valueOf', 'n'])}?.(${args(method())}) }`,
    ])()
  })
  const fields = privates.map(name => `#${name} = ${expression(field)};`)
  const constructor = choices.chance(140) ? [constructorText(inner, base !== undefined)] : []
  const own =
    privateAccessor === undefined ? [] : [accessor('', `#${privateAccessor}`), `u() { ${FUEL} return this.#${privateAccessor}++ }`]
  return `class ${name} ${base === undefined ? '' : `extends ${base} `}{ ${[...fields, ...constructor, ...own, ...members].join(' ')} }`
}

function constructorText(place: Place, isDerived: boolean): string {
  const inner = functionIn(place, { inMethod: true })
  const list = parameters(inner)
  // Now and then it is forgotten, or comes late.
  const before = isDerived && inner.choices.chance(20) ? `p(${expression(inner)}); ` : ''
  const above = isDerived && !inner.choices.chance(10) ? `super(${args({ ...inner, inMethod: false, privates: [] })}); ` : ''
  return `constructor(${list}) { if (!ok()) die('fuel'); ${before}${above}${block(inner, 2)} }`
}
