/** Runs programs of test/packages under Node, all in this process: their paths are the arguments, what each says goes to stdout as JSON. */
import { basename } from 'node:path'
import { pathToFileURL } from 'node:url'

const { show } = await import(pathToFileURL(`${import.meta.dirname}/../packages/show.js`).href)
const said: Record<string, string[]> = {}
for (const path of process.argv.slice(2)) {
  const lines: string[] = []
  const { default: program } = await import(pathToFileURL(path).href)
  await program((value: unknown) => lines.push(show(value)))
  said[basename(path, '.js')] = lines
}
process.stdout.write(JSON.stringify(said), () => process.exit())
