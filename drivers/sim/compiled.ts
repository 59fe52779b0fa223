/** The compiled functions of the ABI on the simulated Xen: what they touch is made known, and made equal, as with its other functions. */
import type { CompiledAbi, CompiledFunction } from '@xen-ts/boot/memory'
import { compiledAbi, compiledTable } from '@xen-ts/boot/memory'
import { report, unwatched } from './accesses.ts'
import type { SimulatedDomain } from './domain.ts'

type Values = readonly (Uint8Array | number)[]
interface Span {
  readonly bytes: Uint8Array
  readonly offset: number
  readonly length: number
  readonly isWritten: boolean
}

export function compiledFunctions(domain: SimulatedDomain): CompiledAbi {
  const run = (row: CompiledFunction) => {
    const compiled = compiledAbi[row.name as keyof CompiledAbi] as (...values: Values) => number | undefined
    return (...watched: Values): number | undefined => {
      const values = watched.map(value => (typeof value === 'number' ? value : unwatched(value)))
      const spans = spansOf(row, values)
      for (const { bytes, offset, length } of spans) {
        report('read', row.name, bytes, offset, length)
        domain.xen.bulk.sync(bytes, offset, length)
      }
      domain.order(row.name)
      const result = compiled(...values)
      for (const { bytes, offset, length, isWritten } of spans) {
        if (!isWritten) continue
        report('write', row.name, bytes, offset, length)
        domain.xen.bulk.sync(bytes, offset, length)
      }
      return result
    }
  }
  return Object.fromEntries(compiledTable.map(row => [row.name, run(row)])) as unknown as CompiledAbi
}

/** What a function may touch, of each array. A length that does not fit is for its checks to find. */
function spansOf({ args, writes }: CompiledFunction, values: Values): Span[] {
  return args.flatMap(([name, check], i): Span[] => {
    const bytes = values[i]
    if (typeof bytes === 'number' || !ArrayBuffer.isView(bytes)) return []
    const hasOffset = check === 'bytes' && args[i + 1][1] === 'offset'
    const offset = hasOffset ? Number(values[i + 1]) : 0
    const length = check === 'bytes' ? Number(values[hasOffset ? i + 2 : i + 1]) : bytes.length
    const fits = offset >= 0 && length >= 0 && offset + length <= bytes.length
    return fits ? [{ bytes, offset, length, isWritten: writes.includes(name) }] : []
  })
}
