/**
 * The compiled functions as hosts in Node have them: the plain TypeScript, behind the kernel's checks. So does the guest's engine in Node,
 * and the simulated Xen.
 */

import type { Abi } from '../abi/abi.ts'
import { checkRange, checkWhole } from '../node/checks.ts'
import * as plain from './index.ts'
import { type CompiledFunction, compiledTable, misfit } from './table.ts'

export type CompiledAbi = Pick<Abi, keyof typeof plain>

type Plain = (...args: (Uint8Array | number)[]) => number
type Checked = (...args: (Uint8Array | number)[]) => number | undefined

/** The checks of one function, and what it is called with then. */
export function checkedArguments({ name, args }: CompiledFunction, values: readonly (Uint8Array | number)[]): (Uint8Array | number)[] {
  const passed: (Uint8Array | number)[] = []
  args.forEach(([argument, kind], i) => {
    const value = values[i]
    const [array, number] = [value as Uint8Array, value as number]
    if (kind === 'bytes') {
      const hasOffset = args[i + 1][1] === 'offset'
      const length = values[hasOffset ? i + 2 : i + 1] as number
      checkWhole(name, 'length', length, 0xffffffff)
      checkRange(name, array, hasOffset ? (values[i + 1] as number) : 0, length)
    } else if (kind === 'num') {
      checkWhole(name, argument, number, 0xffffffff)
    } else if (typeof kind === 'number') {
      if (array.length < kind) throw new RangeError(`${name}: ${argument} has ${array.length} bytes; it must have at least ${kind}`)
      if (array.byteOffset % 4 !== 0) throw new RangeError(`${name}: ${argument} is not aligned to 4 bytes`)
    }
    passed.push(value)
    if (kind === 'all') passed.push(array.length)
  })
  return passed
}

function checked(row: CompiledFunction): Checked {
  const run = plain[row.name as keyof typeof plain] as unknown as Plain
  return (...values) => {
    const result = run(...checkedArguments(row, values))
    if (result < 0) throw new RangeError(`${row.name}: ${misfit}`)
    return row.result === 'num' ? result : undefined
  }
}

export const compiledAbi = Object.fromEntries(compiledTable.map(row => [row.name, checked(row)])) as unknown as CompiledAbi
