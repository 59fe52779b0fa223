import { createHash } from 'node:crypto'
import { abiTable } from './table.ts'

/** First 32 bits of a hash over names, kinds and order: an image runs only on a kernel with the same number. */
export function abiHash(): number {
  const shape = abiTable.map(f => `${f.name}(${f.args.map(([, kind]) => kind).join()}):${f.result}`).join(';')
  return createHash('sha256').update(shape).digest().readUInt32LE(0)
}
