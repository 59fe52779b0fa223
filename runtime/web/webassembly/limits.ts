/** Numbers of descriptors, as [EnforceRange] of Web IDL takes them. */

export function whole(value: unknown, what: string, most = 0xffffffff): number {
  const number = Math.trunc(Number(value))
  if (!(number >= 0 && number <= most)) throw new TypeError(`${what} must be a whole number from 0 to ${most}`)
  return number
}

export interface Descriptor {
  readonly initial?: unknown
  readonly minimum?: unknown
  readonly maximum?: unknown
}

export function limitsOf(descriptor: Descriptor, where: string, most: number): { initial: number; maximum?: number } {
  if (descriptor === null || typeof descriptor !== 'object') throw new TypeError(`${where}: the argument must be an object`)
  const given = descriptor.initial ?? descriptor.minimum
  if (given === undefined) throw new TypeError(`${where}: the property initial is required`)
  const initial = whole(given, `${where}: initial`, most)
  if (descriptor.maximum === undefined) return { initial }
  const maximum = whole(descriptor.maximum, `${where}: maximum`, most)
  if (maximum < initial) throw new RangeError(`${where}: maximum ${maximum} is less than initial ${initial}`)
  return { initial, maximum }
}
