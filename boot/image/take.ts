/**
 * Takes the heap snapshot of a program, on the thread of the engine: runs its bundle in the engine under Node, up to the point where the kernel takes over, and
 * keeps the pages of linear memory that are not zero. The same bundle gives the same bytes: the engine sees no clock (Date.now() is
 * 0), no randomness and no machine.
 */
import { abiHash } from '../abi/hash.ts'
import { bindAbi, rebindAbi } from '../node/abi.ts'
import { createEngine } from '../node/create.ts'
import type { Engine } from '../node/engine.ts'
import { engineFacts } from '../node/facts.ts'
import { buildStackBytes, guestStackBytes, stackMargin } from '../node/guest-stack.ts'
import { hostAbi } from '../node/host-abi.ts'
import { takeHooks } from '../node/loop.ts'
import { buildAbi } from './build-abi.ts'
import { type Page, pageSize, type Snapshot } from './format.ts'
import { Placement, type Plan } from './placement.ts'
import { account, collect, scrub } from './scrub.ts'
import type { Inspection, MadeSnapshot, Program } from './snapshot.ts'

/** Of the heap that a new context takes: far more than it does. */
const engineHeapMost = 1 << 20

/** What startEngine calls: that this module is there is all. @public: callDeep finds it by its name. */
export const load = (): void => {}

/** What runs on a thread with a stack that is large enough. */
export async function runTwice(program: Program, output: (text: string) => void): Promise<MadeSnapshot> {
  const { key, plan: guess } = program
  let last = await run(program, output, guess)
  const { plan } = last
  // A run by a plan that tells the same plan is the second one already.
  if (guess === undefined || Buffer.compare(plan, guess) !== 0) last = await run(program, () => {}, plan)
  if (!last.whole) last = await run(program, () => {})
  const snapshot = last.snapshot()
  const globals = last.globals()
  inspected = key === undefined ? undefined : { key, engine: last }
  return { ...snapshot, globals, plan }
}

/** The engine of the last snapshot. */
let inspected: { readonly key: string; readonly engine: Run } | undefined

/** What runs on the thread. @public: callDeep finds it by its name. */
export async function inspect({ key, script, global }: Inspection): Promise<string | undefined> {
  const found = inspected
  inspected = undefined
  return found?.key === key ? found.engine.inspect(script, global) : undefined
}

interface Run {
  readonly plan: Plan
  readonly whole: boolean
  /** Comes first: the others leave something behind. */
  snapshot(): Snapshot
  inspect(script: string, global: string): string | undefined
  globals(): string[]
}

async function run(program: Program, output: (text: string) => void, plan?: Plan): Promise<Run> {
  const { dataEnd, initialStackPointer: stackTop, quickjs } = (await engineFacts()).names
  let clock = () => 0
  const engine = await createEngine({ jsStackLimit: buildStackBytes, stripSource: true, clock: () => clock() })
  const { memory } = engine
  const engineHeapBytes = usedNumbers(memory.u8, stackTop, stackTop + engineHeapMost).length * pageSize

  // Between static data and the stack nothing lives: room for the text of the bundle, and for what evaluating it takes.
  const gapEnd = stackTop - buildStackBytes - stackMargin
  const text = placeText(engine, program.bundle, dataEnd, gapEnd)
  const placement = new Placement(engine, { start: text.end, end: gapEnd }, plan)
  bindAbi(engine, buildAbi(output))
  const withdraw = offerBytes(engine, program.bytes ?? [])
  engine.free(engine.evalAt(text.start, text.length, program.filename))
  withdraw()
  const { turn, fail } = takeHooks(engine)
  engine.drain()
  const rejection = engine.takeRejection()
  if (rejection !== undefined) throw engine.error(rejection)
  collect(engine)

  const result = placement.stop()
  const snapshot = (): Snapshot => {
    text.free()
    scrub(engine)
    const given = (program.bytes ?? []).reduce((sum, { length }) => sum + length, 0)
    account(engine, stackTop, given)
    if (engine.exports.stackSave() !== stackTop) throw new Error("the engine's stack is not at rest")
    memory.u8.fill(0, result.whole ? dataEnd : gapEnd, stackTop)
    engine.exports.QTS_RuntimeSetMaxStackSize(engine.runtime, guestStackBytes)
    return {
      abiHash: abiHash(),
      memoryPages: memory.size / 65536,
      stackPointer: stackTop,
      runtime: engine.runtime,
      context: engine.context,
      turn,
      fail,
      layout: engine.layout,
      program: program.program,
      engine: `QuickJS ${quickjs}`,
      pages: usedPages(memory.u8, 0, memory.size),
      dataEnd,
      engineHeapBytes,
    }
  }
  const globals = () => {
    const names = engine.eval("Object.getOwnPropertyNames(globalThis).join(' ')", 'build')
    const text = engine.text(names)
    engine.free(names)
    return text.split(' ')
  }
  const inspect = (script: string, global: string): string | undefined => {
    clock = Date.now
    rebindAbi(engine, hostAbi(engine, { output: () => {}, wallStart: Date.now() }))
    const scope = engine.global()
    engine.set(scope, '__booted', engine.get(turn, 'options'))
    engine.free(engine.eval(script, 'inspect'))
    engine.drain()
    const value = engine.get(scope, global)
    return engine.typeOf(value) === 'string' ? engine.text(value) : undefined
  }
  return { ...result, snapshot, globals, inspect }
}

/** Puts the text of the bundle, with a NUL behind it, into the gap, or where it does not fit there into the heap. */
function placeText(engine: Engine, bundle: string, gapStart: number, gapEnd: number) {
  const text = Buffer.from(bundle + '\0')
  const length = text.length - 1
  const inGap = gapStart + text.length <= gapEnd
  const start = inGap ? gapStart : engine.allocate(text.length)
  engine.memory.u8.set(text, start)
  return {
    start,
    length,
    end: inGap ? start + text.length : gapStart,
    free: () => {
      if (!inGap) engine.exports.free(start)
    },
  }
}

/**
 * Gives the bundle bytes that need not be written out in it: as text, 20 MB of them take a minute. They lie in the heap outside of the
 * engine's account, and are never freed.
 */
function offerBytes(engine: Engine, bytes: readonly Uint8Array[]): () => void {
  if (bytes.length === 0) return () => {}
  const id = engine.host.length
  engine.host[id] = (_argc, argv) => {
    const content = bytes[engine.values.number(argv) ?? -1]
    if (content === undefined) return engine.throw(new RangeError('__bytes: there is nothing of this number'))
    const address = engine.allocate(Math.max(1, content.length))
    engine.memory.u8.set(content, address)
    return engine.buffer(address, content.length)
  }
  const global = engine.global()
  engine.set(global, '__bytes', engine.function('__bytes', id))
  engine.free(global)
  return () => engine.free(engine.eval('delete globalThis.__bytes', 'build'))
}

/** The pages between two addresses that are not all zero; in one piece, which another thread gets at once. */
function usedPages(memory: Uint8Array, start: number, end: number): Snapshot['pages'] {
  const numbers = usedNumbers(memory, start, end)
  const bytes = new Uint8Array(numbers.length * pageSize)
  return numbers.map((number, i): Page => {
    const content = bytes.subarray(i * pageSize, (i + 1) * pageSize)
    content.set(memory.subarray(number * pageSize, (number + 1) * pageSize))
    return { number, content }
  })
}

/** The numbers of those pages. */
function usedNumbers(memory: Uint8Array, start: number, end: number): number[] {
  const words = new Uint32Array(memory.buffer)
  const perPage = pageSize / 4
  const numbers: number[] = []
  for (let number = Math.floor(start / pageSize); number * pageSize < end; number++) {
    let index = number * perPage
    const pageEnd = index + perPage
    while (index < pageEnd && words[index] === 0) index++
    if (index < pageEnd) numbers.push(number)
  }
  return numbers
}
