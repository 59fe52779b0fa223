/** Runs test files in the guest's engine, each in an engine of its own. */
import { parentPort, workerData } from 'node:worker_threads'
import { runGuest } from '../lib/guest.ts'
import { adapted, environment, type FileResult, hexOf, type Job, metaScripts, metaTitle, readFile, reporter } from './scripts.ts'

const { code, root } = workerData as { code: string; root: string }

const before = `
globalThis.__suite = {
  async run() {
    const subject = __host('subject')
    if (subject !== '') {
      let value
      try { value = (0, eval)(subject) } catch {}
      if (value === undefined) return void __host('result', JSON.stringify({ missing: true, tests: [] }))
    }
    __host('load')
    __host('result', await this.done)
  },
}`

// Without a handler the program would end: a test file goes on, as in a browser.
const after = `
{
  const hooks = globalThis.__xenTs, { fail } = hooks
  let listening = false
  hooks.fail = reason => {
    __host('uncaught', String(reason?.stack ? reason + ' ' + reason.stack : reason))
    if (typeof PromiseRejectionEvent !== 'function' || typeof addEventListener !== 'function') return
    if (!listening) addEventListener('unhandledrejection', event => { event.preventDefault() }), addEventListener('error', event => { event.preventDefault() })
    listening = true
    try { fail(reason) } catch {}
  }
}`

async function run(job: Job): Promise<FileResult> {
  const file = (path: string) => adapted(path, readFile(root, path).toString())
  const source = file(job.path)
  let result: FileResult | undefined
  const uncaught: string[] = []
  let console = ''
  const host = (operation: string, text: string, evaluate: (source: string, filename: string) => void): string | undefined => {
    switch (operation) {
      case 'subject':
        return job.subject ?? ''
      case 'load': {
        evaluate(environment(job, metaTitle(source)), 'environment.js')
        evaluate(file('resources/testharness.js'), 'testharness.js')
        evaluate(reporter(3600, 10), 'reporter.js')
        try {
          for (const script of metaScripts(job.path, source)) evaluate(file(script), script)
          evaluate(source, job.path)
        } catch (error) {
          uncaught.push(`the script throws: ${(error as Error).name}: ${(error as Error).message}`)
        }
        return undefined
      }
      case 'script':
        return void evaluate(file(text), text)
      case 'read':
        return hexOf(root, text)
      case 'result':
        return void (result = JSON.parse(text))
      case 'uncaught':
        return void uncaught.push(text)
      default:
        throw new Error(`no operation ${operation}`)
    }
  }
  try {
    await runGuest({
      code,
      before,
      after,
      host,
      output: text => {
        if (console.length < 2000) console += text
      },
    })
  } catch (error) {
    uncaught.push(`the runtime throws: ${(error as Error).message}`)
  }
  if (result === undefined)
    return { tests: [], trouble: [...uncaught, console.trim()].join('; ').slice(0, 1000) || 'the program ended without a result' }
  return uncaught.length === 0 ? result : { ...result, trouble: [result.trouble, ...uncaught].filter(Boolean).join('; ').slice(0, 1000) }
}

parentPort!.on('message', async (job: Job) => parentPort!.postMessage(await run(job)))
