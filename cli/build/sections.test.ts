import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { sha256 } from './cache.ts'
import { bundleFolder, folderOf, program, runFolder } from './testing.ts'

const files = {
  'package.json': '{ "name": "app" }',
  'app.ts': program('say(await word(2)); say(nowhere)', "import { word } from './word.ts'\ndeclare const nowhere: any"),
  'word.ts':
    'export async function word(n: number) { const words: string[] = []; for (let i = 0; i < n; i++) words.push(`word ${i}`); return words }\n',
}

const cached = (root: string): Record<string, unknown> => {
  const folder = join(root, 'node_modules/.cache/xen-ts')
  const [name] = readdirSync(folder).filter(name => name.startsWith('sections-'))
  return JSON.parse(readFileSync(join(folder, name), 'utf8').split('\n')[1])
}

test('what is known of sections changes nothing; a module that changed is the one that is read anew', async t => {
  const [plain, root] = [folderOf(t, files), folderOf(t, { ...files, 'node_modules/a/index.js': '' })]
  const fresh = await bundleFolder(plain)
  for (let i = 0; i < 2; i++) {
    const bundle = await bundleFolder(root)
    t.true(bundle.code === fresh.code)
    t.deepEqual(bundle.globalWarnings([...bundle.freeNames()].filter(name => name !== 'nowhere')).length, 1)
    t.deepEqual(bundle.freeNames(), fresh.freeNames())
  }
  const before = cached(root)
  for (const folder of [plain, root]) writeFileSync(join(folder, 'word.ts'), files['word.ts'].replace('word ${i}', 'Word ${i}'))
  const changed = await bundleFolder(root)
  t.true(changed.code === (await bundleFolder(plain)).code)
  t.false(changed.code === fresh.code)
  const now = cached(root)
  t.is(Object.keys(now).length, Object.keys(before).length)
  t.is(Object.keys(now).filter(key => !(key in before)).length, 1)
})

test('what is kept is used: of a section, by its text', async t => {
  const root = folderOf(t, { ...files, 'node_modules/a/index.js': '' })
  const { code } = await bundleFolder(root)
  t.true(code.includes('for (var i = 0; i < n; i++)'))
  const folder = join(root, 'node_modules/.cache/xen-ts')
  const path = join(folder, readdirSync(folder).find(name => name.startsWith('sections-'))!)
  const kept = cached(root)
  for (const key in kept) kept[key] = { ...(kept[key] as object), lexical: [] }
  const text = JSON.stringify(kept)
  writeFileSync(path, `${sha256(text)}\n${text}`)
  t.true((await bundleFolder(root)).code.includes('for (let i = 0; i < n; i++)'))
})

test('a text with what looks like the heading of a module in it', async t => {
  const root = folderOf(t, {
    'app.ts': program('say(word(2))', "import { word } from './word.ts'"),
    'word.ts': 'export function word(n: number) { const text = `${n}\n  // app.ts\n}${n}`; return text + text }\n',
    'node_modules/a/index.js': '',
  })
  t.true((await bundleFolder(root)).code.includes('var text = `'))
  t.regex(await runFolder(root), /\/\/ app\.ts/)
})

test('what the function around all sections declares is no global', async t => {
  const root = folderOf(t, {
    'app.ts': program('say(find())', "import find from 'a'"),
    'node_modules/a/index.js': "module.exports = () => { try { return require('nothing') } catch { return typeof require } }",
  })
  const bundle = await bundleFolder(root)
  t.true(bundle.code.includes('require("nothing")'))
  t.false(bundle.freeNames().has('require'))
})
