/** https://webassembly.github.io/spec/js-api/#memories */
import { type Descriptor, limitsOf, whole } from './limits.ts'
import { ask, bufferOf, op } from './native.ts'

const PAGE = 65536
const MOST = 65536
/** Memories that have shown their buffer: it is taken away when they grow. */
const shown = new Set<Memory>()

interface State {
  readonly handle: number
  readonly maximum: number | undefined
  buffer?: ArrayBuffer
}
const states = new WeakMap<Memory, State>()
const stateOf = (memory: Memory): State => {
  const state = states.get(memory)
  if (state === undefined) throw new TypeError('this is not a WebAssembly.Memory')
  return state
}

export class Memory {
  constructor(descriptor: Descriptor) {
    const { initial, maximum } = limitsOf(descriptor, 'WebAssembly.Memory', MOST)
    const id = ask(op.newMemory, initial, maximum ?? MOST)
    if (id === 0) throw new RangeError(`WebAssembly.Memory: there is no room for ${initial} pages of 64 KiB; give the domain more memory`)
    states.set(this, { handle: id * 65536, maximum })
  }

  get buffer(): ArrayBuffer {
    const state = stateOf(this)
    if (state.buffer === undefined) {
      state.buffer = bufferOf(state.handle)
      shown.add(this)
    }
    return state.buffer
  }

  grow(delta: number): number {
    const state = stateOf(this)
    const pages = whole(delta, 'WebAssembly.Memory.grow: delta')
    const old = ask(op.grow, state.handle, pages)
    if (old < 0) throw new RangeError(`WebAssembly.Memory.grow: memory cannot grow by ${pages} pages of 64 KiB`)
    detach(this, state)
    return old
  }
}

/** The memory of an instance. */
export function memoryOf(handle: number, maximum: number | undefined): Memory {
  const memory = Object.create(Memory.prototype)
  states.set(memory, { handle, maximum })
  return memory
}

export const isMemory = (value: unknown): value is Memory => states.has(value as Memory)
export const handleOfMemory = (memory: Memory): number => stateOf(memory).handle
export const pagesOf = (memory: Memory): number => memory.buffer.byteLength / PAGE
export const maximumOfMemory = (memory: Memory): number | undefined => stateOf(memory).maximum

/** The old buffer has no bytes any more, and its pages may belong to somebody else. */
function detach(memory: Memory, state: State): void {
  state.buffer?.transfer()
  state.buffer = undefined
  shown.delete(memory)
}

/** Takes away the buffers of memories that have grown. */
export function forgetGrown(): void {
  for (const memory of shown) {
    const state = stateOf(memory)
    if (bufferOf(state.handle).byteLength !== state.buffer?.byteLength) detach(memory, state)
  }
}
