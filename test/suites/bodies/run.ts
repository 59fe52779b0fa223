/**
 * The sample of test262 in the native engine, with all functions as machine code, joined from stencils and compiled, and with none: all must do the
 * same, whatever it is. A test is the body of a function here, so that some fail which pass as scripts: in all. Options: parts of paths; --count=300; --seed=7.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { compileScripts, type NativeOptions, runNative } from '@xen-ts/boot/engine'
import { findRepository, listFiles, unpack } from '../lib/fetched.ts'
import { commit } from '../lib/guest.ts'
import { readOptions } from '../lib/options.ts'
import { metaOf, notClaimed, order } from '../test262/tests.ts'

const options = readOptions('bodies')
const repository = findRepository(options.fetched, ['tc39/test262'])
const [count, seed] = [Number(options.value('count') ?? 300), Number(options.value('seed') ?? 7)]
const root = join(options.out, 'test262')

const candidates = listFiles(repository, ['test/language', 'test/built-ins'])
  .filter(path => path.endsWith('.js') && !path.includes('_FIXTURE'))
  .filter(path => options.words.length === 0 || options.words.some(word => path.includes(word)))
  .sort((a, b) => order(a, seed) - order(b, seed) || (a < b ? -1 : 1))
  .slice(0, 3 * count)
unpack(repository, ['harness', ...candidates], root)
const harness = (name: string): string => readFileSync(join(root, 'harness', name), 'utf8')

/** Text of the test as the body of a function; undefined: it cannot be one, or needs what is not there. */
function scriptOf(path: string): string | undefined {
  const source = readFileSync(join(root, path), 'utf8')
  const { flags, features, includes, negative } = metaOf(source)
  const cannot = flags.some(flag => flag === 'module' || flag === 'raw' || flag.startsWith('CanBlock')) || negative !== undefined
  if (cannot || source.includes('$262') || features.some(feature => notClaimed.has(feature))) return undefined
  const files = ['assert.js', 'sta.js', ...(flags.includes('async') ? ['doneprintHandle.js'] : []), ...includes]
  return `${flags.includes('onlyStrict') ? "'use strict';" : ''}${files.map(harness).join('\n')}\n${source}`
}

const scripts = candidates.flatMap(path => {
  const script = scriptOf(path)
  return script === undefined ? [] : [{ path, script }]
})
const tests = scripts.slice(0, count)
console.log(`test262 of ${repository.date} (${repository.commit.slice(0, 10)}): ${tests.length} tests by seed ${seed}; xen-ts ${commit()}`)

/** Compiled together: gcc starts seldom, and the harness is compiled once for all. */
const BATCH = 50

async function run(script: string, how: NativeOptions) {
  try {
    const { stdout, stderr, status, signal, ...made } = await runNative(script, how)
    return { made, text: `${stdout}${stderr}${status} ${signal}`, ok: status === 0 && !/Test262:AsyncTestFailure/.test(stdout) }
  } catch (error) {
    return { made: undefined, text: String(error), ok: false } // it cannot be parsed
  }
}

let [passed, functions] = [0, 0]
const bytes = { joined: 0, compiled: 0 }
const lines: string[] = []
for (let start = 0; start < tests.length; start += BATCH) {
  const batch = tests.slice(start, start + BATCH)
  const ready = await compileScripts(batch.map(({ script }) => script))
  for (const { path, script } of batch) {
    const interpreted = await run(script, { bodies: 'none' })
    if (interpreted.ok) passed++
    for (const [name, how] of [
      ['joined', { bodies: 'all' }],
      ['compiled', { bodies: 'compiled', ready }],
    ] as const) {
      const { made, text } = await run(script, how)
      if (name === 'compiled') functions += made?.functions ?? 0
      bytes[name] += made?.bytes ?? 0
      if (interpreted.text === text) continue
      const short = (text: string) => text.replace(/\s+/g, ' ').slice(0, 200)
      lines.push([path, name, short(interpreted.text), short(text)].join('\t'))
      console.log(lines.at(-1))
    }
  }
  console.error(`${start + batch.length} of ${tests.length}`)
}
writeFileSync(join(options.out, 'differences.tsv'), lines.map(line => `${line}\n`).join(''))
console.log(
  `${tests.length} tests, ${functions} functions, ${bytes.joined} bytes joined and ${bytes.compiled} compiled: ${lines.length} differ; ${passed} pass interpreted`,
)
if (lines.length > 0) process.exitCode = 1
