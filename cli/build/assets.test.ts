import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { assetModule } from './assets.ts'

test('a folder as a module: paths, types, bytes, also of names that objects have anyhow', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'xen-ts-assets-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, '__proto__'))
  const names = ['__proto__/index.html', '__proto__.html', 'constructor', 'toString.css']
  for (const name of names) writeFileSync(join(folder, name), name)
  mkdirSync(join(folder, 'deep'))
  writeFileSync(join(folder, 'deep/__proto__'), 'deep')
  const { contents } = assetModule(folder)
  const files: Record<string, { bytes: Uint8Array }> = (await import(`data:text/javascript,${encodeURIComponent(String(contents))}`))
    .default
  t.deepEqual(Object.keys(files).sort(), [...names, 'deep/__proto__'].sort())
  for (const name of names) t.is(Buffer.from(files[name].bytes).toString(), name)
})

test('a file called __proto__', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'xen-ts-assets-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, '__proto__'), 'text')
  const files: Record<string, { bytes: Uint8Array }> = (
    await import(`data:text/javascript,${encodeURIComponent(String(assetModule(folder).contents))}`)
  ).default
  t.deepEqual(Object.keys(files), ['__proto__'])
  t.is(Object.getPrototypeOf(files), Object.prototype)
})
