import { execFileSync } from 'node:child_process'
import test from 'ava'

/** What a fresh process says that has imported a module of ours. */
const inProcess = (script: string, env: NodeJS.ProcessEnv = {}): string =>
  execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: import.meta.dirname,
    env: { ...process.env, ...env },
    encoding: 'utf8',
  })

/** GOGC in the environment of esbuild's process, and in ours. */
const GIVEN = `
import { readdirSync, readFileSync } from 'node:fs'
await import('./bundle.ts')
const ours = readdirSync('/proc').find(pid => /^\\d+$/.test(pid) && parent(pid) === process.pid)
const environment = readFileSync('/proc/' + ours + '/environ', 'utf8').split('\\0')
console.log(environment.find(line => line.startsWith('GOGC=')), process.env.GOGC)
function parent(pid) {
  try { return Number(readFileSync('/proc/' + pid + '/stat', 'utf8').replace(/^.*\\) /, '').split(' ')[1]) } catch { return 0 }
}`

test("esbuild's process seldom collects garbage; what is set stays, and no other process is told", t => {
  t.is(inProcess(GIVEN, { GOGC: undefined }), 'GOGC=400 undefined\n')
  t.is(inProcess(GIVEN, { GOGC: '50' }), 'GOGC=50 50\n')
})

test('targets are known without the stack being loaded', t => {
  const loaded = inProcess(`
import { registerHooks } from 'node:module'
let loaded = 0
registerHooks({ load(url, context, next) {
  if (/\\/stack\\/(?:index|tcp|http|ip)\\b/.test(url)) loaded++
  return next(url, context)
} })
await import('./targets.ts').then(({ findTarget }) => findTarget('qubes', '.'))
console.log(loaded)`)
  t.is(loaded, '0\n')
})
