/** NAME.build.ts: it runs when the program is built, and the program has what it exported. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import test from 'ava'
import { CliError } from '../errors.ts'
import { dataModule } from './build-modules.ts'
import { sha256 } from './cache.ts'
import { bundleFolder, folderOf, program, runFolder } from './testing.ts'

/** A program that shows what ./data.build.ts gave it. */
const files = (source: string, body: string) => ({
  'package.json': '{ "name": "app", "type": "module" }',
  'app.ts': program(body, "import * as all from './data.build.ts'\nimport { data } from './data.build.ts'"),
  'data.build.ts': source,
  'notes/b.txt': 'second',
  'notes/a.txt': 'first',
})

test('it reads files, uses modules of Node and of its own, and nothing of it is in the program', async t => {
  const root = folderOf(t, {
    ...files(
      `import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { shout } from './shout.ts'
const folder = join(import.meta.dirname, 'notes')
console.log('for who builds')
interface Note { text: string }
export const data: Note[] = readdirSync(folder).sort().map(name => ({ text: shout(readFileSync(join(folder, name), 'utf8')) }))
export default -0`,
      "say(`${data.map(note => note.text).join()} ${Object.is(all.default, -0)} ${'readFileSync' in all}`)",
    ),
    'shout.ts': 'export const shout = (text: string) => text.toUpperCase()',
  })
  t.regex(await runFolder(root), /FIRST,SECOND true false\n/)
  t.notRegex((await bundleFolder(root)).code, /readdirSync|toUpperCase\(\)/)
})

test('all kinds of data come as they are', async t => {
  const values = `{ text: 'a\\n"b"\\u2028', n: [1, 0.1, 1e300, NaN, -Infinity, null, true], ['__proto__']: { a: 1 }, u: undefined, bare: Object.create(null) }`
  const root = folderOf(
    t,
    files(
      `export const data = ${values}`,
      "say(JSON.stringify([data, data.n[3], data.n[4], Object.hasOwn(data, '__proto__'), 'u' in data]))",
    ),
  )
  const output = await runFolder(root)
  const said = output.slice(output.indexOf('[{'), output.lastIndexOf(']') + 1)
  t.is(said, '[{"text":"a\\n\\"b\\"\u2028","n":[1,0.1,1e+300,null,null,null,true],"__proto__":{"a":1},"bare":{}},null,null,true,true]')
})

test('what is no data is refused, with its place in the value', t => {
  const self: { list: unknown[] } = { list: [] }
  self.list.push({ again: self })
  for (const [value, text] of [
    [{ date: new Date(0) }, 'posts.date is a Date'],
    [[1, () => 2], 'posts[1] is a function'],
    [10n, 'posts is a bigint'],
    [[Symbol('x')], 'posts[0] is a symbol'],
    [new Map(), 'posts is a Map'],
    [self, 'posts.list[0].again contains itself'],
  ] as const)
    t.throws(() => dataModule({ posts: value }), { message: text })
  t.notThrows(() => dataModule({ posts: [self.list.length, {}, {}] }))
})

const refused = async (t: Parameters<typeof folderOf>[0], source: string): Promise<CliError> =>
  (await t.throwsAsync(bundleFolder(folderOf(t, files(source, 'say(data)'))), { instanceOf: CliError })) as CliError

test('a module that throws, says something else than data, or ends its process: what, where, and what to do', async t => {
  const thrown = await refused(t, "export const data = 1\nthrow new Error('no notes')\n")
  t.is(thrown.message, 'data.build.ts could not be run: Error: no notes')
  t.regex(thrown.where!, /data\.build\.ts:2:7\n *2 \| throw new Error/)
  t.regex(thrown.todo!, /runs in Node while the program is built/)
  const missing = await refused(t, "import 'nowhere'\nexport const data = 1\n")
  t.regex(missing.message, /^data\.build\.ts could not be run: Error .*Cannot find package 'nowhere'/)
  const date = await refused(t, 'const one = 1\nexport const data = [new Date(0), one]\n')
  t.is(date.message, 'data.build.ts: data[0] is a Date')
  t.regex(date.where!, /data\.build\.ts:2:1\n *2 \| export const data/)
  t.regex(date.todo!, /strings, numbers/)
  const half = await refused(t, 'export const data = 1\nexport const other = [1\n')
  t.regex(half.where!, /data\.build\.ts:3:1\n/)
  const gone = await refused(t, 'export const data = 1\nprocess.exit(4)\n')
  t.is(gone.message, 'data.build.ts ended its process (4) before it was done')
})

test('an export that is not there is an error at the import', async t => {
  const error = await refused(t, 'export const date = 1\n')
  t.regex(error.message, /data\.build\.ts/)
  t.regex(`${error.where}`, /app\.ts:/)
})

test('a module of xen-ts itself runs once for many builds, and again when what it has read is another', async t => {
  const root = folderOf(t, {
    'package.json': '{ "name": "app" }',
    'app.ts': program("say(new Date(0).toLocaleString('en', { timeZone: 'Europe/Berlin' }))"),
    'node_modules/a/index.js': '',
  })
  const folder = join(root, 'node_modules/.cache/xen-ts')
  const kept = (): { path: string; key: string; value: { code: string; sums: Record<string, string> } } => {
    const path = join(folder, readdirSync(folder).find(name => name.startsWith('module-'))!)
    const [[key, value]] = Object.entries<any>(JSON.parse(readFileSync(path, 'utf8').split('\n')[1]))
    return { path, key, value }
  }
  const keep = (path: string, content: object): void => {
    const text = JSON.stringify(content)
    writeFileSync(path, `${sha256(text)}\n${text}`)
  }
  const { code } = await bundleFolder(root)
  const { path, key, value } = kept()
  t.deepEqual(
    Object.keys(value.sums).map(file => basename(file)),
    ['zones.build.ts', 'latest.json'],
  )
  keep(path, { [key]: { ...value, code: value.code.replace('Europe/Berlin', 'Europe/Cached') } })
  t.true((await bundleFolder(root)).code.includes('Europe/Cached'))
  keep(path, { [key]: { ...value, code: '', sums: Object.fromEntries(Object.keys(value.sums).map(file => [file, 'another'])) } })
  t.true((await bundleFolder(root)).code === code)
  t.deepEqual(kept(), { path, key, value })
})
