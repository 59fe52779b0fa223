/** How many bytecodes were executed: the interpreter's jumps to the handler of the next one (boot/engine/interpreter.ts), which stand in its text. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Profile } from './callgrind.ts'

/** A jump through a table. There are those of switches as well: that of the opcodes is the one most often jumped through. */
const JUMP = /^\s*([0-9a-f]+):\s+(?:notrack )?jmp\s+\*0x([0-9a-f]+)\(,%r\w+,8\)/gm

/** Addresses of the jumps, by program and function. */
export async function dispatches(program: string, loop: string): Promise<readonly number[]> {
  const args = ['-d', '--no-show-raw-insn', `--disassemble=${loop}`, program]
  const { stdout } = await promisify(execFile)('objdump', args, { timeout: 60_000, maxBuffer: 1 << 28 })
  const byTable = new Map<string, number[]>()
  for (const [, address, table] of stdout.matchAll(JUMP)) {
    const jumps = byTable.get(table!) ?? []
    byTable.set(table!, jumps)
    jumps.push(Number.parseInt(address!, 16))
  }
  const [most] = [...byTable.values()].sort((a, b) => b.length - a.length)
  if (most === undefined || most.length < 20) throw new Error(`${loop} of ${program} does not look like an interpreter's loop`)
  return most
}

export const countOf = ({ byAddress }: Profile, addresses: readonly number[]): number =>
  addresses.reduce((sum, address) => sum + (byAddress.get(address) ?? 0), 0)
