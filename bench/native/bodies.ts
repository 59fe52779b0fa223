/** Functions of the program as machine code, as an image has them: the program's memory before its first turn is dumped, and exchanged for one that leads there. */
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { engineFolder } from '@xen-ts/boot/engine'
import { bodiesIn } from '@xen-ts/boot/testing'

/**
 * More arguments for the program (native.c).
 * @param command it, with its arguments and what goes before it
 * @param path what the names of files may begin with
 */
export async function withBodies(command: readonly string[], path: string): Promise<string[]> {
  const [file, ...args] = command.slice(command.findIndex(each => each.endsWith('/native')))
  const [memory, code] = [`${path}.memory`, `${path}.code`]
  const { stdout } = await promisify(execFile)(file!, [...args, '--dump', memory], { timeout: 60_000 })
  const found = /^memory (\d+) (\d+) (\d+) (\d+)$/m.exec(stdout)
  if (found === null) throw new Error(`${file} did not say where things are: ${stdout}`)
  const [memoryPages, runtime, context, turn] = found.slice(1).map(Number)
  const where = { memoryPages: memoryPages!, runtime: runtime!, context: context!, turn: turn! }
  const made = bodiesIn(await readFile(memory), where, { program: file!, engine: engineFolder })
  await writeFile(memory, made.memory)
  await writeFile(code, made.code)
  return ['--bodies', code, memory]
}
