/**
 * Keeps the heap of a snapshot dense. Parsing takes several times the memory that is left of it in the end, and what stays lies
 * scattered among what went: half of the pages would be holes. So the bundle is evaluated twice. The first time tells which
 * allocations last (the engine is deterministic: the n-th allocation is the same in each run); the second time only those come from
 * the heap, and all others from a scratch area that is thrown away. Each run tells which last: one that was done by the plan of another bundle,
 * and tells the same, is the second already.
 *
 * QuickJS allocates through function pointers in its JSRuntime (JSMallocFunctions), which are exchanged for the time.
 */
import type { Engine } from '../node/engine.ts'
import { addFunction } from '../node/table.ts'
import { Scratch } from './scratch.ts'

/** 1 at the number of each allocation that lasts. */
export type Plan = Uint8Array

/** In JSRuntime: js_malloc, js_free, js_realloc (table indices), js_malloc_usable_size; then JSMallocState: count and size, u32. */
const offsets = { malloc: 0, free: 4, realloc: 8, state: 16 }
const stateSize = 4

type Malloc = (state: number, size: number) => number
type Free = (state: number, address: number) => void
type Realloc = (state: number, address: number, size: number) => number

export class Placement {
  readonly #engine: Engine
  readonly #plan: Plan | undefined
  readonly #scratch: Scratch
  readonly #pointers: readonly number[]
  readonly #malloc: Malloc
  readonly #free: Free
  readonly #realloc: Realloc
  /** What the engine counts for a block besides its (unknown) size. */
  readonly #overhead: number
  /** By address / 8: the number, from 1 on, of the block there that was allocated since the start and not freed; else 0. */
  #numbers: Uint32Array
  /** Of these: the place behind the last that was ever used. */
  #end = 0
  #count = 0

  /**
   * Takes over the engine's allocations, until stop().
   * @param plan of an earlier run of the same bundle; without one, all come from the heap
   * @param scratch addresses of memory that nobody uses
   */
  constructor(engine: Engine, scratch: { start: number; end: number }, plan?: Plan) {
    const { memory, runtime, table } = engine
    this.#engine = engine
    this.#numbers = new Uint32Array(memory.size / 8)
    this.#plan = plan
    this.#scratch = new Scratch(scratch.start, scratch.end)
    const word = (offset: number) => memory.u32[(runtime + offset) >>> 2]
    this.#pointers = [offsets.malloc, offsets.free, offsets.realloc].map(word)
    const [malloc, free, realloc] = this.#pointers.map(slot => table.get(slot))
    this.#malloc = malloc as Malloc
    this.#free = free as Free
    this.#realloc = realloc as Realloc
    this.#overhead = this.#prove()
    this.#set([
      addFunction(table, { params: ['i32', 'i32'], result: 'i32' }, (state: number, size: number) => this.#allocate(state, size)),
      addFunction(table, { params: ['i32', 'i32'], result: undefined }, (state: number, address: number) => this.#release(state, address)),
      addFunction(table, { params: ['i32', 'i32', 'i32'], result: 'i32' }, (state: number, address: number, size: number) =>
        this.#resize(state, address, size),
      ),
    ])
  }

  /** Gives the engine its own functions back. Returns the plan, and whether scratch memory is still in use: then memory is not whole. */
  stop(): { plan: Plan; whole: boolean } {
    this.#set(this.#pointers)
    const plan = new Uint8Array(this.#count + 1)
    for (let i = 0; i < this.#end; i++) plan[this.#numbers[i]] = 1
    return { plan, whole: this.#scratch.blocks === 0 }
  }

  #allocate(state: number, size: number): number {
    const number = ++this.#count
    const address = this.#place(state, size, number)
    if (address !== 0) this.#note(address, number)
    return address
  }

  #place(state: number, size: number, number: number): number {
    if (this.#plan === undefined || this.#plan[number] === 1) return this.#malloc(state, size)
    const address = this.#scratch.take(size)
    if (address === 0) return this.#malloc(state, size)
    this.#account(state, 1)
    return address
  }

  #release(state: number, address: number): void {
    if (address === 0) return
    this.#note(address, 0)
    if (!this.#scratch.holds(address)) {
      this.#free(state, address)
      return
    }
    this.#scratch.give(address)
    this.#account(state, -1)
  }

  #resize(state: number, address: number, size: number): number {
    if (address === 0) return size === 0 ? 0 : this.#allocate(state, size)
    if (size === 0) {
      this.#release(state, address)
      return 0
    }
    if (this.#scratch.holds(address)) {
      const moved = this.#allocate(state, size)
      if (moved === 0) return 0
      this.#engine.memory.u8.copyWithin(moved, address, address + Math.min(size, this.#scratch.room(address)))
      this.#release(state, address)
      return moved
    }
    const moved = this.#realloc(state, address, size)
    if (moved === 0) return 0
    this.#note(address, 0)
    this.#note(moved, ++this.#count)
    return moved
  }

  #note(address: number, number: number): void {
    const place = address >>> 3
    if (place >= this.#end) {
      this.#end = place + 1
      if (place >= this.#numbers.length) {
        const larger = new Uint32Array(this.#engine.memory.size / 8) // memory has grown
        larger.set(this.#numbers)
        this.#numbers = larger
      }
    }
    this.#numbers[place] = number
  }

  #account(state: number, blocks: number): void {
    const words = this.#engine.memory.u32
    words[state >>> 2] += blocks
    words[(state + stateSize) >>> 2] += blocks * this.#overhead
  }

  #set(pointers: readonly number[]): void {
    const words = this.#engine.memory.u32
    for (const [i, offset] of [offsets.malloc, offsets.free, offsets.realloc].entries())
      words[(this.#engine.runtime + offset) >>> 2] = pointers[i]
  }

  /** Proves by their work that the pointers are what they are taken for. Returns what a block adds to the size in JSMallocState. */
  #prove(): number {
    const { memory, runtime } = this.#engine
    const state = runtime + offsets.state
    const counts = () => [memory.u32[state >>> 2], memory.u32[(state + stateSize) >>> 2]]
    const [count, size] = counts()
    const first = this.#malloc(state, 40)
    const [countWith, sizeWith] = counts()
    memory.u8[first + 39] = 0x5a
    const second = this.#realloc(state, first, 4000)
    const kept = memory.u8[second + 39] === 0x5a && counts()[0] === countWith && counts()[1] === sizeWith
    this.#free(state, second)
    if (!kept || countWith !== count + 1 || counts().join() !== [count, size].join())
      throw new Error("the engine's allocation functions are not at the start of its JSRuntime")
    return sizeWith - size
  }
}
