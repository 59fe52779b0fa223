/** Functions of every kind. Each asks for fuel first, so that every program ends. */
import { expression } from './expressions.ts'
import { parameterPattern } from './patterns.ts'
import { functionIn, type Kind, type Place } from './place.ts'
import { block } from './statements.ts'

/** What a function that has no fuel does. */
export const FUEL = 'if (!ok()) return 0;'

/** Parameters, which are declared in the place. */
export function parameters(place: Place): string {
  const { choices } = place
  // No await and no yield in parameters.
  const plain = { ...place, isAsync: false, isGenerator: false, inFunction: false, levels: Math.min(place.levels, 1) }
  const simple = (kind: Kind): string => {
    const name = choices.name('a')
    place.variables.push({ name, kind })
    return name
  }
  const list = choices.list(0, 3, () =>
    choices.of([
      () => simple('any'),
      () => simple('number'),
      () => {
        const value = expression(plain)
        return `${simple('any')} = ${value}`
      },
      () => parameterPattern(plain),
    ])(),
  )
  return [...list, ...(choices.chance(30) ? [`...${simple('array')}`] : [])].join(', ')
}

export function body(place: Place, most = 3): string {
  const statements = block(place, most)
  return `{ ${FUEL} ${statements} return ${expression(place)} }`
}

/** Written in one go: head, parameters, body, as an expression. */
function made(place: Place, head: string, name: string, more: Partial<Place>): string {
  const inner = functionIn(place, more)
  if (name !== '') inner.variables.push({ name, kind: 'function', constant: true })
  return `${head} ${name}(${parameters(inner)}) ${body(inner)}`
}

export const functionExpression = (place: Place): string =>
  `(${made(place, 'function', place.choices.chance(60) ? place.choices.name('f') : '', {})})`

export function arrow(place: Place): string {
  // `arguments` is that of the function around.
  const { inFunction, inMethod } = place
  const inner = functionIn(place, { inFunction, inMethod })
  const list = parameters(inner)
  return place.choices.chance(100) ? `((${list}) => ${body(inner)})` : `((${list}) => ok() && ${expression(inner)})`
}

export const asyncFunction = (place: Place, name = ''): string => made(place, 'async function', name, { isAsync: true })
export const generator = (place: Place, name = ''): string => made(place, 'function*', name, { isGenerator: true })
export const asyncGenerator = (place: Place, name = ''): string =>
  made(place, 'async function*', name, { isAsync: true, isGenerator: true })
export const declaredFunction = (place: Place, name: string): string => made(place, 'function', name, {})

export const anyFunction = (place: Place): string => place.choices.of([functionExpression, arrow, asyncFunction, generator])(place)
