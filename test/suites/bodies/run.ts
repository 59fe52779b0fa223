/**
 * The sample of test262 in the native engine, with all functions as machine code and with none: both must do the same, whatever it is. A test is
 * the body of a function here, so that some fail which pass as scripts: in both. Options: parts of paths; --count=300; --seed=7.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runNative } from '@xen-ts/boot/engine'
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

let [passed, functions, bytes] = [0, 0, 0]
const lines: string[] = []
for (const [i, { path, script }] of tests.entries()) {
  const run = async (bodies: 'all' | 'none') => {
    try {
      const { stdout, stderr, status, signal, ...made } = await runNative(script, { bodies })
      return { made, text: `${stdout}${stderr}${status} ${signal}`, ok: status === 0 && !/Test262:AsyncTestFailure/.test(stdout) }
    } catch (error) {
      return { made: undefined, text: String(error), ok: false } // it cannot be compiled
    }
  }
  const [interpreted, compiled] = [await run('none'), await run('all')]
  if (interpreted.ok) passed++
  functions += compiled.made?.functions ?? 0
  bytes += compiled.made?.bytes ?? 0
  if (interpreted.text !== compiled.text) {
    const short = (text: string) => text.replace(/\s+/g, ' ').slice(0, 200)
    lines.push([path, short(interpreted.text), short(compiled.text)].join('\t'))
    console.log(lines.at(-1))
  }
  if (i % 100 === 99) console.error(`${i + 1} of ${tests.length}`)
}
writeFileSync(join(options.out, 'differences.tsv'), lines.map(line => `${line}\n`).join(''))
console.log(`${tests.length} tests, ${functions} functions as ${bytes} bytes: ${lines.length} differ; ${passed} pass in both`)
if (lines.length > 0) process.exitCode = 1
