/** The functions of a snapshot that can be compiled. */
import type { Snapshot } from '../../image/format.ts'
import { type NamedFunction, nameOf } from '../../image/function-names.ts'
import { findBytecode, memoryOf } from '../../image/functions.ts'
import type { Compilable } from './compile.ts'
import { readFunction } from './function.ts'
import { keyOf } from './key.ts'

export interface FoundFunction extends Compilable, NamedFunction {
  /** Of its JSFunctionBytecode. */
  readonly address: number
}

export function functionsOf(snapshot: Pick<Snapshot, 'pages' | 'memoryPages' | 'runtime' | 'turn'>): FoundFunction[] {
  const memory = memoryOf(snapshot)
  return findBytecode(snapshot, memory).flatMap(({ address }) => {
    const code = readFunction(memory, address)
    const key = keyOf(code, memory, snapshot.runtime)
    return key === undefined ? [] : [{ key, code, address, ...nameOf(memory, snapshot.runtime, address) }]
  })
}
