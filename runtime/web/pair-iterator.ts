/** Iterators of Headers and URLSearchParams: https://webidl.spec.whatwg.org/#js-iterable . They look at the pairs anew at each step. */

type Pair = readonly [name: string, value: string]
export type Kind = 'entries' | 'keys' | 'values'

const IteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()))

/** @param name of the interface; @returns makes an iterator over what `pairs` returns at the time */
export function pairIterators(name: string): (pairs: () => readonly Pair[], kind: Kind) => any {
  const states = new WeakMap<object, { readonly pairs: () => readonly Pair[]; readonly kind: Kind; index: number }>()
  const prototype = Object.create(IteratorPrototype, {
    next: {
      value: function next(this: object) {
        const state = states.get(this)
        if (state === undefined) throw new TypeError(`next: this is not an iterator of ${name}`)
        const pair = state.pairs()[state.index]
        if (pair === undefined) return { value: undefined, done: true }
        state.index++
        const [key, value] = pair
        return { value: state.kind === 'entries' ? [key, value] : state.kind === 'keys' ? key : value, done: false }
      },
      writable: true,
      enumerable: true,
      configurable: true,
    },
    [Symbol.toStringTag]: { value: `${name} Iterator`, configurable: true },
  })
  return (pairs, kind) => {
    const iterator = Object.create(prototype)
    states.set(iterator, { pairs, kind, index: 0 })
    return iterator
  }
}
