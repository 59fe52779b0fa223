/** Which coding a client wants (RFC 9110 section 12.5.3). */

/** Longer fields are not looked at: what a browser sends has thirty characters. */
const LONGEST = 200
const ITEM = /^[ \t]*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)[ \t]*(?:;[ \t]*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)[ \t]*)?$/i

const none: ReadonlyMap<string, number> = new Map()

/** Weights by coding in lower case. What is not understood is left out: it is not said to be welcome then. */
function weights(field: string): ReadonlyMap<string, number> {
  if (field.length > LONGEST) return none
  const found = new Map<string, number>()
  for (const item of field.split(',')) {
    const match = ITEM.exec(item)
    if (match === null) continue
    const coding = match[1].toLowerCase()
    found.set(coding === 'x-gzip' ? 'gzip' : coding, match[2] === undefined ? 1 : +match[2])
  }
  return found
}

/** A client sends the same field again and again. */
let last: { field: string; weights: ReadonlyMap<string, number> } = { field: '', weights: none }

/**
 * The best of `codings`, those of a file in the order of preference: undefined for the file as it is, false when nothing is acceptable.
 * @param field Accept-Encoding; null when there is none
 */
export function chooseCoding<T extends string>(field: string | null, codings: readonly T[]): T | undefined | false {
  if (field === null) return undefined
  if (field !== last.field) last = { field, weights: weights(field) }
  const said = last.weights
  const rest = said.get('*')
  let best: T | undefined
  let weight = 0
  for (const coding of codings) {
    const its = said.get(coding) ?? rest ?? 0
    if (its > weight) {
      best = coding
      weight = its
    }
  }
  // Acceptable unless it is excluded; preferred only where its weight is said, and larger.
  const plain = said.get('identity') ?? (rest === 0 ? 0 : undefined)
  if (plain !== undefined && plain > weight) return undefined
  return best ?? (plain === 0 ? false : undefined)
}
