import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { build } from 'esbuild'
import { engineFacts, factModules, type KeptFacts, knownFacts } from './facts.ts'

const at = (file: string) => fileURLToPath(new URL(file, import.meta.url))

/** What a fresh process takes for the facts when it is given these. */
const given = (kept: KeptFacts | undefined): { facts: string; kept: KeptFacts } =>
  JSON.parse(
    execFileSync(process.execPath, [
      '--input-type=module',
      '-e',
      `const { engineFacts, knownFacts } = await import(${JSON.stringify(at('./facts.ts'))})
const kept = await knownFacts(${JSON.stringify(kept)})
const facts = JSON.stringify(await engineFacts(), (_, value) => (typeof value === 'bigint' ? value + 'n' : value))
console.log(JSON.stringify({ facts, kept }))`,
    ]).toString(),
  )

test('facts are the same whether they were kept or found; they are taken for what they say, and not looked for again', async t => {
  const kept = await knownFacts(undefined)
  const found = given(undefined)
  t.deepEqual(found, { facts: kept.text, kept })
  t.deepEqual(given(kept), found)
  t.is(typeof (await engineFacts()).layout.float64Addend, 'bigint')
  const other = { key: kept.key, text: kept.text.replace('"quickjs":"', '"quickjs":"other than ') }
  t.deepEqual(given(other), { facts: other.text, kept: other })
})

test('facts of another engine, or found by other code, count for nothing', async t => {
  const kept = await knownFacts(undefined)
  const stale = {
    key: kept.key.replace(/./, digit => (digit === '0' ? '1' : '0')),
    text: kept.text.replace('"quickjs":"', '"quickjs":"other than '),
  }
  t.deepEqual(given(stale), { facts: kept.text, kept })
})

test('what the facts depend on is all that the code which finds them is made of', async t => {
  const { metafile } = await build({
    entryPoints: [at('../engine/names.ts'), at('../engine/layout.ts')],
    bundle: true,
    write: false,
    outdir: 'none',
    metafile: true,
    platform: 'node',
    format: 'esm',
    absWorkingDir: at('..'),
  })
  t.deepEqual(
    Object.keys(metafile.inputs)
      .map(file => at(`../${file}`))
      .sort(),
    [...factModules].sort(),
  )
})
