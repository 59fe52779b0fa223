/** Whatever the caches of earlier builds hold, an image is what it is without them. */
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { decodedMappings, TraceMap } from '@jridgewell/trace-mapping'
import test from 'ava'
import { build } from 'esbuild'
import { buildProgram } from './build.ts'
import { optionsFor } from './bundle.ts'
import { findProject } from './project.ts'
import { folderOf } from './testing.ts'

const app = (body: string) => `import { arg, unikernel } from 'xen-ts'
import { texts } from './texts.ts'
${body}
export default unikernel({ name: 'app', args: { at: arg.number({ default: 0, doc: 'which' }) }, start: ({ log, args }) => log.info(texts[args.at]) })
`
/** One after the other, as a program is changed. */
const versions = {
  first: { 'app.ts': app(''), 'texts.ts': "export const texts = ['one', 'two']\n" },
  'another text': { 'app.ts': app(''), 'texts.ts': "export const texts = ['one', 'three']\n" },
  'a comment': { 'app.ts': app('// It says what it was told.\n'), 'texts.ts': "export const texts = ['one', 'three']\n" },
  'more code': {
    'app.ts': app('export const twice = (n: number) => [n, n].map(one => one * 2)'),
    'texts.ts': "export const texts = ['one']\n",
  },
  'more of the web': { 'app.ts': app("const at = new URL('http://a/b')\nvoid [at, fetch]"), 'texts.ts': "export const texts = ['one']\n" },
  'as before': { 'app.ts': app(''), 'texts.ts': "export const texts = ['one', 'two']\n" },
}

async function built(root: string) {
  const output = join(root, 'app.xen')
  const { sha256, bytes, memoryMiB, warnings } = await buildProgram({ app: root, target: 'xen', output })
  return { sha256, bytes, memoryMiB, warnings, map: readFileSync(`${output}.map`, 'utf8') }
}

test('an image is the same with caches of each build before it, with broken ones, with those of another program, and without', async t => {
  const manifest = JSON.stringify({ name: 'app', type: 'module' })
  const cached = folderOf(t, { 'package.json': manifest, 'node_modules/a/index.js': '' })
  const bare = folderOf(t, { 'package.json': manifest })
  const folder = join(cached, 'node_modules/.cache/xen-ts')
  const kept = join(cached, 'kept')
  for (const [what, files] of Object.entries(versions)) {
    for (const root of [cached, bare]) for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), text)
    const found = await built(cached)
    t.deepEqual(found, await built(bare), what)
    t.deepEqual(await built(cached), found, `${what}, again`)
    if (what === 'first') cpSync(folder, kept, { recursive: true })
  }
  t.deepEqual(
    readdirSync(folder)
      .map(name => name.split(/[-.]/)[0])
      .sort(),
    ['engine', 'main', 'module', 'plan', 'program', 'sections'],
  )
  const right = await built(bare)
  /** A value that is whole, and of another build. */
  const stale = (name: string): Buffer => readFileSync(join(kept, name))
  for (const [what, broken] of Object.entries({
    cut: (name: string) => readFileSync(join(folder, name)).subarray(0, -9),
    garbled: (name: string) => readFileSync(join(folder, name)).map((byte, i) => (i === 600 ? byte ^ 1 : byte)),
    empty: () => Buffer.alloc(0),
    stale,
  })) {
    for (const name of readdirSync(folder)) writeFileSync(join(folder, name), broken(name))
    t.deepEqual(await built(cached), right, what)
  }
  rmSync(folder, { recursive: true })
  t.deepEqual(await built(cached), right, 'gone')
})

test('a module of ours has the same places in the map whether it is reached by its path or by its name, whichever comes first', async t => {
  const project = findProject(folderOf(t, { 'app.ts': '' }))
  const name = '@xen-ts/stack/config'
  const placesBy = async (way: string): Promise<string[]> => {
    const contents = `void import(${JSON.stringify(way)})`
    const stdin = { contents, resolveDir: import.meta.dirname, sourcefile: 'main' }
    const { outputFiles } = await build({ ...optionsFor(project, new Map()), inject: [], stdin, write: false })
    const map = new TraceMap(outputFiles[0].text)
    const places = decodedMappings(map).flat()
    return places.flatMap(([, source, line, column]) => (map.sources[source!]?.endsWith('stack/config.ts') ? `${line}:${column}` : []))
  }
  const places = await placesBy(name)
  t.true(places.length > 50)
  t.deepEqual(places, await placesBy(fileURLToPath(import.meta.resolve(name))))
})
