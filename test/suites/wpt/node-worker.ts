/** Runs one test file on Node's own globals, to tell the faults of this harness from the guest's. A thread for each file. */
import { runInThisContext } from 'node:vm'
import { parentPort, workerData } from 'node:worker_threads'
import { adapted, environment, type FileResult, hexOf, isLong, type Job, metaScripts, metaTitle, readFile, reporter } from './scripts.ts'

const { root } = workerData as { root: string }
const uncaught: string[] = []
process.on('unhandledRejection', reason => {
  uncaught.push(String(reason))
})
process.on('uncaughtException', error => {
  uncaught.push(String(error))
})
const post = parentPort!.postMessage.bind(parentPort)

async function run(job: Job): Promise<FileResult> {
  const file = (path: string) => adapted(path, readFile(root, path).toString())
  const source = file(job.path)
  const scope = globalThis as any
  scope.__suite = {}
  scope.__host = (operation: string, text: string) =>
    operation === 'script' ? runInThisContext(file(text), { filename: text }) : hexOf(root, text)
  if (job.subject !== undefined) {
    let value
    try {
      value = (0, eval)(job.subject)
    } catch {}
    if (value === undefined) return { missing: true, tests: [] }
  }
  const evaluate = (text: string, filename: string) => {
    runInThisContext(text, { filename })
  }
  evaluate(environment(job, metaTitle(source)), 'environment.js')
  evaluate(file('resources/testharness.js'), 'testharness.js')
  evaluate(reporter(isLong(source) ? 200 : 60, 10), 'reporter.js')
  try {
    for (const script of metaScripts(job.path, source)) evaluate(file(script), script)
    evaluate(source, job.path)
  } catch (error) {
    uncaught.push(`the script throws: ${error}`)
  }
  const result = JSON.parse(await scope.__suite.done)
  return uncaught.length === 0 ? result : { ...result, trouble: [result.trouble, ...uncaught].filter(Boolean).join('; ').slice(0, 1000) }
}

parentPort!.on('message', async (job: Job) => post(await run(job)))
