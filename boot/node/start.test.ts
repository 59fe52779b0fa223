import { execFileSync } from 'node:child_process'
import test from 'ava'

const inProcess = (script: string): string =>
  execFileSync(process.execPath, ['-e', script], { cwd: import.meta.dirname, encoding: 'utf8', timeout: 60_000 })

test('a process ends whether the thread that it has started is ready or not', t => {
  t.is(inProcess("(await import('./start.ts')).startEngine(); console.log('done')"), 'done\n')
})

test('a process waits for what it asks of the thread, whatever is prepared there meanwhile', t => {
  const asked = `
const { startEngine } = await import('./start.ts')
startEngine()
const { evaluateInEngine, warmEngine } = await import('./evaluate.ts')
void warmEngine()
evaluateInEngine({ bundle: "globalThis.found = 'it is'", filename: 'app.js', global: 'found', timeout: 60_000 }).then(console.log)
void warmEngine()
startEngine()`
  t.is(inProcess(asked), 'it is\n')
})
