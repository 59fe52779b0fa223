/** What a process finds out of the engine and keeps for the next: builds in processes of their own. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { sha256 } from './cache.ts'
import { folderOf } from './testing.ts'

const tool = fileURLToPath(new URL('../launch.js', import.meta.url))
const files = {
  'package.json': JSON.stringify({ name: 'app', type: 'module' }),
  'app.ts': 'export default { fetch: () => new Response() }\n',
}
const built = (root: string): string => {
  const output = join(root, 'app.xen')
  return JSON.parse(execFileSync(process.execPath, [tool, 'build', root, '-t', 'xen', '-o', output, '--json'], { encoding: 'utf8' })).sha256
}

test('what is kept of the engine is used, for this engine and this code only, and an image is the same without', t => {
  const right = built(folderOf(t, files))
  const root = folderOf(t, { ...files, 'node_modules/a/index.js': '' })
  const path = join(root, 'node_modules/.cache/xen-ts/engine.json')
  const write = (change: (facts: { key: string; text: string }) => object): void => {
    const { facts } = JSON.parse(readFileSync(path, 'utf8').split('\n')[1])
    const text = JSON.stringify({ facts: change(facts) })
    writeFileSync(path, `${sha256(text)}\n${text}`)
  }
  const other = (text: string): string => text.replace('"quickjs":"', '"quickjs":"no ')
  t.is(built(root), right)
  t.true(existsSync(path))
  const kept = readFileSync(path, 'utf8')
  t.is(built(root), right)
  write(({ key, text }) => ({ key, text: other(text) }))
  t.not(built(root), right, 'it was not used')
  write(({ key, text }) => ({ key: `${key.slice(1)}0`, text }))
  t.is(built(root), right, 'of another engine')
  t.is(readFileSync(path, 'utf8'), kept, 'it was kept anew')
})

test('where nobody may write, all is found out again', t => {
  const root = folderOf(t, { ...files, 'node_modules/.cache': 'not a folder' })
  t.is(built(root), built(folderOf(t, files)))
})
