/** https://webassembly.github.io/spec/js-api/#tables */
import { functionOf, referenceOf } from './functions.ts'
import { type Descriptor, limitsOf, whole } from './limits.ts'
import { ask, op, u32 } from './native.ts'

const MOST = 10_000_000

interface State {
  readonly handle: number
  readonly maximum: number | undefined
}
const states = new WeakMap<Table, State>()
const stateOf = (table: Table): State => {
  const state = states.get(table)
  if (state === undefined) throw new TypeError('this is not a WebAssembly.Table')
  return state
}

/** Leaves a function, or null, in the first value. */
function pass(value: unknown, where: string): void {
  const reference = value === null || value === undefined ? undefined : referenceOf(value)
  if (reference === undefined && value !== null && value !== undefined)
    throw new TypeError(`${where}: the value must be null or a function that WebAssembly exports`)
  u32[0] = reference?.place ?? 0
  u32[1] = reference?.instance ?? 0
}

export class Table {
  constructor(descriptor: Descriptor & { element: string }, value?: unknown) {
    const { initial, maximum } = limitsOf(descriptor, 'WebAssembly.Table', MOST)
    const { element } = descriptor
    if (element !== 'anyfunc' && element !== 'funcref')
      throw new TypeError(`WebAssembly.Table: element must be "anyfunc"; xen-ts has no tables of ${element}`)
    pass(value, 'WebAssembly.Table')
    const id = ask(op.newTable, initial, maximum ?? MOST)
    if (id === 0) throw new RangeError(`WebAssembly.Table: there is no room for ${initial} entries; give the domain more memory`)
    states.set(this, { handle: id * 65536, maximum })
    if (value !== null && value !== undefined) for (let i = 0; i < initial; i++) this.set(i, value)
  }

  get length(): number {
    return ask(op.tableSize, stateOf(this).handle)
  }

  get(index: number): unknown {
    const { handle } = stateOf(this)
    ask(op.tableGet, handle, inside(this, index, 'get'))
    if (u32[1] === 0) return null
    return functionOf(u32[1], u32[0])
  }

  set(index: number, value?: unknown): void {
    const { handle } = stateOf(this)
    const place = inside(this, index, 'set')
    pass(value, 'WebAssembly.Table.set')
    ask(op.tableSet, handle, place)
  }

  grow(delta: number, value?: unknown): number {
    const { handle } = stateOf(this)
    const more = whole(delta, 'WebAssembly.Table.grow: delta')
    pass(value, 'WebAssembly.Table.grow')
    const old = ask(op.tableGrow, handle, more)
    if (old < 0) throw new RangeError(`WebAssembly.Table.grow: the table cannot grow by ${more} entries`)
    return old
  }
}

function inside(table: Table, index: unknown, method: string): number {
  const place = whole(index, `WebAssembly.Table.${method}: index`)
  if (place >= table.length) throw new RangeError(`WebAssembly.Table.${method}: index ${place} is outside of a table of ${table.length}`)
  return place
}

/** The table of an instance. */
export function tableOf(handle: number, maximum: number | undefined): Table {
  const table = Object.create(Table.prototype)
  states.set(table, { handle, maximum })
  return table
}

export const isTable = (value: unknown): value is Table => states.has(value as Table)
export const handleOfTable = (table: Table): number => stateOf(table).handle
export const maximumOfTable = (table: Table): number | undefined => stateOf(table).maximum
