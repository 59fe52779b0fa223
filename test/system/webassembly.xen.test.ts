/** WebAssembly on real Xen: what modules do there is what they do in V8. Needs wasm2c, wat2wasm (Debian's wabt) and gcc. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { assemble, numericModule } from '@xen-ts/boot/wasm/testing'
import test from 'ava'
import { XenTests } from './harness.ts'
import { digests, results } from './webassembly/cases.ts'

const here = (name: string) => fileURLToPath(new URL(`webassembly/${name}`, import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'xen-ts-webassembly-'))
const xen = new XenTests(test)
test.after.always(() => rmSync(folder, { recursive: true, force: true }))

const app = `
import { unikernel } from 'xen-ts'
import module from './module.wasm'
import numeric from './numeric.wasm?module'
import { digests, results } from './cases.ts'
export default unikernel({
  name: 'webassembly',
  start({ log }) {
    for (const [name, result] of results(WebAssembly, module)) log.info(\`case \${name} => \${result}\`)
    for (const [name, result] of digests(WebAssembly, numeric)) log.info(\`case \${name} => \${result}\`)
    log.info('done')
  },
})
`

function moduleOf(name: string, text: string): WebAssembly.Module {
  const bytes = assemble(text)
  writeFileSync(join(folder, `${name}.wasm`), bytes)
  return new WebAssembly.Module(bytes)
}

test.serial('cases, and all numeric operations, are as in V8', async t => {
  const module = moduleOf('module', readFileSync(here('module.wat'), 'utf8'))
  const numeric = moduleOf('numeric', numericModule)
  writeFileSync(join(folder, 'app.ts'), app)
  copyFileSync(here('cases.ts'), join(folder, 'cases.ts'))
  const { lines, reason } = await xen.run(t, join(folder, 'app.ts'), { memory: 64, seconds: 120 })
  t.is(reason, 'poweroff', lines.join('\n'))
  const said = new Map(lines.flatMap(line => [...line.matchAll(/case (.*?) => (.*)$/g)]).map(([, name, result]) => [name, result]))
  const judged = [...results(WebAssembly, module), ...digests(WebAssembly, numeric)]
  t.deepEqual(
    judged.map(([name]) => [name, said.get(name)]),
    judged,
  )
  t.true(judged.length > 150)
})
