/** Functions of the program as machine code, as an image has them: the program's memory before its first turn is dumped, and exchanged for one that leads there. */
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { bodiesIn } from '@xen-ts/boot/testing'

/** @param command the program and its arguments @param path what files may begin with @returns more arguments */
export async function bodiesFor(command: readonly string[], path: string): Promise<string[]> {
  if (process.env.BODIES === undefined) return []
  const start = command.findIndex(each => each.endsWith('/native'))
  const [file, ...args] = command.slice(start)
  const memory = `${path}.memory`
  const { stdout } = await promisify(execFile)(file!, [...args, '--dump', memory], { timeout: 60_000 })
  const [, pages, runtime, context, turn] = /^memory (\d+) (\d+) (\d+) (\d+)$/m.exec(stdout)!.map(Number)
  const made = bodiesIn(
    await readFile(memory),
    { memoryPages: pages!, runtime: runtime!, context: context!, turn: turn! },
    file!,
    await readFile(process.env.BODIES, 'utf8'),
  )
  await writeFile(memory, made.memory)
  await writeFile(`${path}.code`, made.code)
  return ['--bodies', `${path}.code`, memory]
}
