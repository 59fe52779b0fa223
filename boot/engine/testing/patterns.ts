/** Destructuring, with defaults, in declarations, parameters and assignments. */
import { expression, iterable, object, reference } from './expressions.ts'
import { key } from './literals.ts'
import { type Kind, type Place, target } from './place.ts'

/** A pattern whose leaves are what `leaf` gives. */
function pattern(place: Place, leaf: () => string): string {
  const { choices } = place
  const part = (): string => {
    const to = place.levels > 1 && choices.chance(30) ? pattern({ ...place, levels: place.levels - 1 }, leaf) : leaf()
    return choices.chance(120) ? `${to} = ${expression({ ...place, isAsync: false, isGenerator: false, levels: place.levels - 1 })}` : to
  }
  if (choices.chance(128)) {
    const items = choices.list(1, 3, () => (choices.chance(30) ? '' : part()))
    return `[${[...items, ...(choices.chance(60) ? [`...${leaf()}`] : [])].join(', ')}]`
  }
  const items = choices.list(1, 3, () => (choices.chance(40) ? `[p('key', '${key(choices)}')]: ${part()}` : `${key(choices)}: ${part()}`))
  return `{ ${[...items, ...(choices.chance(60) ? [`...${leaf()}`] : [])].join(', ')} }`
}

/** What can be taken apart by it. */
const source = (place: Place, text: string): string =>
  place.choices.chance(20) ? expression(place) : text.startsWith('[') ? iterable(place) : object(place)

/** Declares the names in the place, after the source was written: it cannot see them. */
export function declarationPattern(place: Place, kind: Kind = 'any'): { text: string; source: string } {
  const names: string[] = []
  const text = pattern({ ...place, variables: [...place.variables] }, () => {
    const name = place.choices.name('d')
    names.push(name)
    return name
  })
  const from = source(place, text)
  place.variables.push(...names.map(name => ({ name, kind })))
  return { text, source: from }
}

export function parameterPattern(place: Place): string {
  const { text, source } = declarationPattern(place)
  return `${text} = ${source}`
}

export function assignmentPattern(place: Place): string {
  const text = pattern(place, () => (place.choices.chance(100) ? reference(place) : (target(place) ?? reference(place))))
  return `(${text} = ${source(place, text)})`
}
