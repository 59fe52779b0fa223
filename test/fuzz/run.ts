/** Properties with many inputs, and frames for a while: npm run fuzz; CONTRIBUTING.md says more. */
import { spawnSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

const usage = `usage: npm run fuzz -- [WORD ...] [--inputs N] [--seed N]   all properties, or those of files whose path has a WORD in it
       npm run fuzz -- frames SECONDS [--seed N]            frames into a whole stack`
const MANY = 100_000

class UsageError extends Error {}

function options(): { words: string[]; inputs: number; seed: number | undefined } {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { inputs: { type: 'string' }, seed: { type: 'string' } } })
  const number = (name: 'inputs' | 'seed'): number | undefined => {
    const value = values[name] === undefined ? undefined : Number(values[name])
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= 0)) throw new UsageError(`--${name} must be a whole number`)
    return value
  }
  return { words: positionals, inputs: number('inputs') ?? MANY, seed: number('seed') }
}

/** Test files that ask how many inputs they shall take. Those that run others in the guest's engine do not ask: it is slow. */
function propertyFiles(words: readonly string[]): string[] {
  const asks = /from '(@xen-ts\/boot\/fuzz|\.\.\/node\/fuzz\.ts)'|\bforSeeds\b/
  return globSync('{boot,runtime,drivers,stack,qubes,targets,rig,cli}/**/*.test.ts', { exclude: path => path.includes('node_modules') })
    .filter(path => words.length === 0 || words.some(word => path.includes(word)))
    .filter(path => asks.test(readFileSync(path, 'utf8')))
    .sort()
}

try {
  const { words, inputs, seed } = options()
  if (words[0] === 'frames') {
    const { framesFor } = await import('./frames.ts')
    const seconds = Number(words[1] ?? 60)
    if (!(seconds > 0) || words.length > 2) throw new UsageError('frames takes a number of seconds')
    await framesFor(seconds, seed)
  } else {
    const files = propertyFiles(words)
    if (files.length === 0) throw new UsageError(`no file with properties has ${words.join(' or ')} in its path`)
    const chosen = seed ?? Math.floor(Math.random() * 0x7fffffff)
    console.log(`${inputs} inputs for each property of ${files.length} files, seed ${chosen}`)
    const env = { ...process.env, XEN_TS_FUZZ: String(inputs), XEN_TS_FUZZ_SEED: String(chosen) }
    const { status } = spawnSync('ava', ['--timeout', '60m', ...files], { stdio: 'inherit', env })
    process.exitCode = status ?? 1
  }
} catch (error) {
  console.error(`${(error as Error).message}${error instanceof UsageError ? `\n${usage}` : ''}`)
  process.exitCode = error instanceof UsageError ? 2 : 1
}
