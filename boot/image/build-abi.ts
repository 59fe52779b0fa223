/** The ABI while a snapshot is made: nothing of the machine, since there is none yet. */
import { abiTable } from '../abi/table.ts'
import type { HostAbi } from '../node/abi.ts'
import { compiledAbi, memoryAbi } from '../node/memory-abi.ts'

/** Functions that depend on their arguments only work as ever: module top levels may encode texts and fill buffers. */
const { copy, checksum, utf8Encode, utf8Decode, latin1Decode } = memoryAbi
const pure = { ...compiledAbi, copy, checksum, utf8Encode, utf8Decode, latin1Decode }

export function buildAbi(output: (text: string) => void): HostAbi {
  const refused = Object.fromEntries(
    abiTable.map(({ name }) => [
      name,
      () => {
        throw new Error(`${name} is not available while the snapshot is made: call it from start()`)
      },
    ]),
  )
  return { ...refused, ...pure, consoleWrite: output } as unknown as HostAbi
}
