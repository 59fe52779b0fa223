import { createHash } from 'node:crypto'
import { compiledTable } from '../compiled/table.ts'
import { abiTable } from './table.ts'

/** First 32 bits of a hash over names, kinds and order, and where things are in the records of compiled functions: an image runs only on a kernel with the same number. */
export function abiHash(): number {
  const shape = abiTable.map(f => `${f.name}(${f.args.map(([, kind]) => kind).join()}):${f.result}`).join(';')
  const layouts = JSON.stringify(compiledTable.map(f => f.layout))
  return createHash('sha256')
    .update(shape + layouts)
    .digest()
    .readUInt32LE(0)
}
