/**
 * Makes the heap snapshot of a program: runs its bundle in the engine under Node, up to the point where the kernel takes over, and
 * keeps the pages of linear memory that are not zero. The same bundle gives the same bytes: the engine sees no clock (Date.now() is
 * 0), no randomness and no machine.
 */
import { abiHash } from '../abi/hash.ts'
import { createEngine } from '../node/create.ts'
import type { Engine } from '../node/engine.ts'
import { guestStack } from '../node/guest-stack.ts'
import { takeHooks } from '../node/loop.ts'
import { bindAbi } from '../node/abi.ts'
import { engineNames } from '../engine/names.ts'
import { buildAbi } from './build-abi.ts'
import { collect, findGcThreshold, scrub } from './scrub.ts'
import { pageSize, type Snapshot } from './format.ts'

/**
 * Native stack for the kernel to reserve, as a multiple of the JavaScript stack. The engine checks its linear stack only; measured,
 * its C recursion (JSON.parse, eval of nested parentheses) takes up to 23 times as much native stack as linear.
 */
const nativeStackFactor = 32

export interface SnapshotOptions {
  /** A classic script that sets globalThis.__xenTs = { turn, fail }. */
  readonly bundle: string
  /** The script's name in stack traces. */
  readonly filename: string
  /** The program's name, for the kernel's greeting; at most 63 bytes. */
  readonly program: string
  /** What modules write while the snapshot is made. Default: to stderr. */
  readonly output?: (text: string) => void
}

/** Runs the bundle and takes the snapshot. Throws the GuestError of a bundle that throws, and an Error for one without hooks. */
export async function makeSnapshot(options: SnapshotOptions): Promise<Snapshot> {
  const { dataEnd, initialStackPointer, quickjs } = await engineNames()
  const { base: stackBase, top: stackTop, jsStackLimit } = guestStack(dataEnd)
  const engine = await createEngine({ stackTop, jsStackLimit, stripSource: true, clock: () => 0 })
  const { memory } = engine
  const gcThreshold = findGcThreshold(engine)

  const engineHeapBytes = usedPages(memory.u8).length * pageSize - stackBase
  bindAbi(engine, buildAbi(options.output ?? (text => { process.stderr.write(`[build] ${text}`) })))
  evaluate(engine, options, { start: stackTop, end: initialStackPointer })
  const { turn, fail } = takeHooks(engine)
  engine.drain()
  const rejection = engine.takeRejection()
  if (rejection !== undefined) throw engine.error(rejection)

  collect(engine, gcThreshold)
  scrub(engine)
  if (engine.exports.stackSave() !== stackTop) throw new Error('the engine\'s stack is not at rest')
  memory.u8.fill(0, dataEnd, stackTop)

  return {
    abiHash: abiHash(),
    memoryPages: memory.size / 65536,
    stackPointer: stackTop,
    runtime: engine.runtime,
    context: engine.context,
    turn,
    fail,
    layout: engine.layout,
    nativeStackBytes: nativeStackFactor * jsStackLimit,
    program: options.program,
    engine: `QuickJS ${quickjs}`,
    pages: usedPages(memory.u8),
    dataEnd,
    engineHeapBytes,
  }
}

/**
 * Evaluates the bundle with its text in the gap between the lowered stack and the heap, where it leaves no hole in the heap that is
 * kept. A text that does not fit there goes into the heap.
 */
function evaluate(engine: Engine, options: SnapshotOptions, gap: { start: number, end: number }): void {
  const text = Buffer.from(options.bundle + '\0')
  const start = pageCeil(gap.start)
  if (start + text.length > gap.end) {
    engine.free(engine.eval(options.bundle, options.filename))
    return
  }
  engine.memory.u8.set(text, start)
  engine.free(engine.evalAt(start, text.length - 1, options.filename))
  engine.memory.u8.fill(0, start, start + text.length)
}

function usedPages(memory: Uint8Array): Snapshot['pages'] {
  const words = new Uint32Array(memory.buffer)
  const perPage = pageSize / 4
  const pages: { number: number, content: Uint8Array }[] = []
  for (let number = 0; number < memory.length / pageSize; number++) {
    let index = number * perPage
    const end = index + perPage
    while (index < end && words[index] === 0) index++
    if (index < end) pages.push({ number, content: memory.slice(number * pageSize, (number + 1) * pageSize) })
  }
  return pages
}

const pageCeil = (address: number) => Math.ceil(address / pageSize) * pageSize
