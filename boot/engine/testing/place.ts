/** Where code stands in a program: what it can see, and what it may say. */
import type { Choices } from './choices.ts'

/** What a variable holds at first. */
export type Kind = 'any' | 'number' | 'object' | 'array' | 'function' | 'class' | 'iterable'

export interface Variable {
  readonly name: string
  readonly kind: Kind
  readonly constant?: boolean
}

export interface Place {
  readonly choices: Choices
  /** Grows while a block is written. */
  readonly variables: Variable[]
  /** How many levels may still be nested. */
  readonly levels: number
  readonly isAsync: boolean
  readonly isGenerator: boolean
  /** Whether `return`, `arguments` and `new.target` may stand here. */
  readonly inFunction: boolean
  /** Whether `super.x` may. */
  readonly inMethod: boolean
  /** Whether `break` may, and `continue`. */
  readonly inLoop: boolean
  readonly inSwitch: boolean
  readonly labels: readonly string[]
  /** Private names of the class around. */
  readonly privates: readonly string[]
}

/** A block in it, whose variables end with it. */
export const inside = (place: Place, more: Partial<Place> = {}): Place => ({
  ...place,
  variables: [...place.variables],
  levels: place.levels - 1,
  ...more,
})

/** The body of a function in it. */
export const functionIn = (place: Place, more: Partial<Place> = {}): Place =>
  inside(place, {
    isAsync: false,
    isGenerator: false,
    inFunction: true,
    inMethod: false,
    inLoop: false,
    inSwitch: false,
    labels: [],
    ...more,
  })

/** Of these kinds; undefined: there is none. */
export function variable(place: Place, kinds?: readonly Kind[]): Variable | undefined {
  const fitting = kinds === undefined ? place.variables : place.variables.filter(({ kind }) => kinds.includes(kind))
  // The newest first: what was just declared is used.
  return fitting.length === 0 ? undefined : fitting[fitting.length - 1 - place.choices.below(fitting.length)]
}

/** One that can be assigned to; now and then one that cannot. */
export function target(place: Place): string | undefined {
  const fitting = place.variables.filter(({ constant }) => !constant)
  const any = place.choices.chance(6) ? place.variables : fitting
  return any.length === 0 ? undefined : any[any.length - 1 - place.choices.below(any.length)].name
}
