/** The stack of values while a body is written: what is known of each, and who keeps it alive. */

export type Value =
  /** A u64 of C without references, the same each time. `integer`: it is this int32. */
  | { readonly kind: 'constant'; readonly text: string; readonly integer?: number }
  /** A variable of C: a u32 that is an int32, or a truth. */
  | { readonly kind: 'integer' | 'truth'; readonly name: string }
  /** Somewhere that keeps it as long as nobody writes there: `local 3`, `argument 0`, `this`, `constant`. */
  | { readonly kind: 'place'; readonly text: string; readonly where: string }
  /** A u64 variable: alive until something is done that may free it, or as long as `keep` is ours (0: it is not), or `of` is. */
  | { readonly kind: 'weak'; readonly name: string; readonly keep?: string; readonly of?: string }
  /** A u64 variable with a reference of ours. */
  | { readonly kind: 'own'; readonly name: string }

export const constant = (text: string): Value => ({ kind: 'constant', text })
export const integer = (value: number): Value => ({ kind: 'constant', text: `VALUE(INT, ${value | 0})`, integer: value | 0 })

/** Its bits, for looking. */
export function raw(value: Value): string {
  switch (value.kind) {
    case 'constant':
    case 'place':
      return value.text
    case 'integer':
      return `(u64)${value.name}`
    case 'truth':
      return `TRUTH(${value.name})`
    default:
      return value.name
  }
}

/** Its bits with a reference of their own: the value is used up. */
export function owned(value: Value): string {
  switch (value.kind) {
    case 'place':
      return `dup(${value.text})`
    case 'weak':
      return value.keep ? `(${value.keep} ? ${value.name} : dup(${value.name}))` : `dup(${value.name})`
    default:
      return raw(value)
  }
}

/** What gives up its reference, if there is one. */
export function dropped(value: Value): string {
  if (value.kind === 'own') return `drop(${value.name});`
  return value.kind === 'weak' && value.keep ? `drop(${value.keep});` : ''
}

/** Whether it has no references for sure. */
export const isPlain = ({ kind }: Value): boolean => kind === 'constant' || kind === 'integer' || kind === 'truth'

/** A condition of C that holds when the value is an int32; '1' and '0' when that is known. */
export function isInteger(value: Value): string {
  if (value.kind === 'integer') return '1'
  if (value.kind === 'constant') return value.integer === undefined ? '0' : '1'
  return value.kind === 'truth' ? '0' : `TAG(${raw(value)}) == INT`
}

/** The int32 that it is. */
export const asInteger = (value: Value): string =>
  value.kind === 'constant' && value.integer !== undefined
    ? value.integer === -0x80000000
      ? '(-2147483647 - 1)'
      : `${value.integer}`
    : value.kind === 'integer'
      ? `(s32)${value.name}`
      : `(s32)${raw(value)}`
