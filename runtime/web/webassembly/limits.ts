/** Numbers of descriptors, as [EnforceRange] of Web IDL takes them. */

export function whole(value: unknown, what: string): number {
  const number = Math.trunc(Number(value))
  if (!(number >= 0 && number <= 0xffffffff)) throw new TypeError(`${what} must be a whole number from 0 to ${0xffffffff}`)
  return number
}

function inRange(value: number, what: string, most: number): number {
  if (value > most) throw new RangeError(`${what} must be at most ${most}`)
  return value
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
  const initial = inRange(whole(given, `${where}: initial`), `${where}: initial`, most)
  if (descriptor.maximum === undefined) return { initial }
  const maximum = inRange(whole(descriptor.maximum, `${where}: maximum`), `${where}: maximum`, most)
  if (maximum < initial) throw new RangeError(`${where}: maximum ${maximum} is less than initial ${initial}`)
  return { initial, maximum }
}
