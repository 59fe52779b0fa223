/** Runs one test in the guest's engine, in both modes where it says nothing: with the project's runtime, or without. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { runBare, runGuest } from '../lib/guest.ts'
import type { Job, Ran } from './tests.ts'

const { code, root } = workerData as { code: string; root: string }
const harness = (name: string) => readFileSync(join(root, 'harness', name), 'utf8')

const prelude = `
globalThis.print = text => { __host('print', String(text)) }
globalThis.$262 = {
  global: globalThis, gc() {}, evalScript(text) { __host('script', text) },
  detachArrayBuffer(buffer) { buffer.transfer() },
  createRealm() { throw new Error('there is one realm') },
}`

async function one(job: Job, strict: boolean): Promise<Ran> {
  const source = readFileSync(join(root, job.path), 'utf8')
  const { flags, includes, negative } = job.meta
  const isAsync = flags.includes('async')
  let printed: string | undefined
  let thrown: { name: string; message: string } | undefined
  const scripts: [string, string][] = [[prelude, 'prelude.js']]
  if (!flags.includes('raw')) {
    for (const name of ['assert.js', 'sta.js', ...(isAsync ? ['doneprintHandle.js'] : []), ...includes]) scripts.push([harness(name), name])
    scripts.push([
      "Object.defineProperty(Test262Error.prototype, 'name', { value: 'Test262Error', writable: true, configurable: true })",
      'name.js',
    ])
  }
  scripts.push([(strict ? '"use strict";\n' : '') + source, job.path])
  const load = (evaluate: (source: string, filename: string) => void): void => {
    try {
      for (const [text, name] of scripts) evaluate(text, name)
    } catch (error) {
      thrown = error as Error
    }
  }
  const host = (operation: string, text: string, evaluate: (source: string, filename: string) => void): string | undefined => {
    if (operation === 'load') load(evaluate)
    else if (operation === 'print') printed ??= text
    else if (operation === 'script') evaluate(text, 'evalScript.js')
    // 'wait': whether the program is to go on with its timers
    else if (operation === 'wait') return isAsync && printed === undefined && thrown === undefined ? 'yes' : ''
    return undefined
  }
  let trouble = ''
  try {
    if (job.bare) await runBare(host, load)
    else await runGuest({ code, host, before, after })
  } catch (error) {
    trouble = String((error as Error).message ?? error)
  }
  if (negative !== undefined)
    return {
      pass: thrown?.name === negative.type,
      message: thrown === undefined ? `nothing was thrown, not ${negative.type} (${negative.phase})` : `${thrown.name}: ${thrown.message}`,
    }
  if (thrown !== undefined) return { pass: false, message: `${thrown.name}: ${thrown.message}` }
  if (isAsync) return { pass: printed === 'Test262:AsyncTestComplete', message: printed ?? (trouble || '$DONE was not called') }
  return { pass: trouble === '', message: trouble }
}

const before = `
globalThis.__suite = {
  async run() {
    __host('load')
    for (let i = 0; i < 200 && __host('wait') === 'yes'; i++) await new Promise(resolve => { setTimeout(resolve, 10) })
  },
}`
// A rejection that nobody handles is no failure of a test.
const after = 'globalThis.__xenTs.fail = () => {}'

async function run(job: Job): Promise<Ran> {
  const { flags } = job.meta
  const modes = flags.includes('raw') || flags.includes('noStrict') ? [false] : flags.includes('onlyStrict') ? [true] : [false, true]
  for (const strict of modes) {
    const ran = await one(job, strict)
    if (!ran.pass) return { pass: false, message: `${strict ? 'strict' : 'sloppy'}: ${ran.message}` }
  }
  return { pass: true, message: '' }
}

parentPort!.on('message', async (job: Job) => parentPort!.postMessage(await run(job)))
