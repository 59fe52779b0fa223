/** https://webassembly.github.io/spec/js-api/#globals */
import { ask, op } from './native.ts'
import { get, put, types } from './values.ts'

interface State {
  readonly handle: number
  readonly type: string
  readonly mutable: boolean
}
const states = new WeakMap<Global, State>()
const stateOf = (global: Global): State => {
  const state = states.get(global)
  if (state === undefined) throw new TypeError('this is not a WebAssembly.Global')
  return state
}

export class Global {
  constructor(descriptor: { value: string; mutable?: boolean }, value?: unknown) {
    const type = types[String(descriptor?.value)]
    if (type === undefined) throw new TypeError('WebAssembly.Global: value must be "i32", "i64", "f32" or "f64"')
    const initial = value === undefined ? (type === 'j' ? 0n : 0) : value
    put(type, [initial])
    const low = ask(op.newGlobal, 0)
    if (low === 0) throw new RangeError('WebAssembly.Global: there is no memory for it; give the domain more')
    const state = { handle: low * 65536, type, mutable: Boolean(descriptor.mutable) }
    states.set(this, state)
    put(type, [initial])
    ask(op.globalSet, state.handle)
  }

  get value(): number | bigint {
    const { handle, type } = stateOf(this)
    ask(op.globalGet, handle)
    return get(type, 0)
  }

  set value(value: number | bigint) {
    const { handle, type, mutable } = stateOf(this)
    if (!mutable) throw new TypeError('WebAssembly.Global: it is immutable')
    put(type, [value])
    ask(op.globalSet, handle)
  }

  valueOf(): number | bigint {
    return this.value
  }
}

/** The global of an instance. */
export function globalOf(handle: number, type: string, mutable: boolean): Global {
  const global = Object.create(Global.prototype)
  states.set(global, { handle, type, mutable })
  return global
}

export const isGlobal = (value: unknown): value is Global => states.has(value as Global)
export const globalState = (global: Global): State => stateOf(global)
