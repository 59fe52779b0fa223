/** Runs a snapshot in the engine under Node as the kernel runs it natively: from the segment's bytes alone. */
import { type HostAbi, rebindAbi } from '../node/abi.ts'
import { restoreEngine } from '../node/create.ts'
import type { Engine } from '../node/engine.ts'
import type { Hooks } from '../node/loop.ts'
import { offsets, pageSize } from './format.ts'

export interface Restored {
  readonly engine: Engine
  readonly hooks: Hooks
}

/**
 * A fresh engine with the pages of a snapshot segment.
 * @param seed bits for the state of Math.random, not 0
 * @param abi makes the functions that the program reaches through __abi
 */
export async function restoreSnapshot(segment: Uint8Array, seed: bigint, abi: (engine: Engine) => Partial<HostAbi>): Promise<Restored> {
  const view = new DataView(segment.buffer, segment.byteOffset, segment.byteLength)
  const u32 = (offset: number) => view.getUint32(offset, true)
  const state = {
    memoryPages: u32(offsets.memoryPages),
    stackPointer: u32(offsets.stackPointer),
    runtime: u32(offsets.runtime),
    context: u32(offsets.context),
  }
  const headerBytes = u32(offsets.headerBytes)
  const engine = await restoreEngine(state, memory => {
    for (let i = 0; i < u32(offsets.pageCount); i++) {
      const start = headerBytes + i * pageSize
      memory.set(segment.subarray(start, start + pageSize), u32(offsets.pageNumbers + 4 * i) * pageSize)
    }
  })
  engine.memory.setU64(u32(offsets.context) + u32(offsets.randomState), seed)
  rebindAbi(engine, abi(engine))
  return { engine, hooks: { turn: u32(offsets.turn), fail: u32(offsets.fail) } }
}
