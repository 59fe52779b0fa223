/** JSX: by the library that is there, or not at all. */
import test from 'ava'
import { CliError } from '../errors.ts'
import { buildFolder, bundleFolder, folderOf } from './testing.ts'

const app = (head = '') => `${head}import { unikernel } from 'xen-ts'
export default unikernel({ name: 'app', async start({ log }) { log.info('made ' + <p title="a">text</p>) } })
`
const library = (folder: string, name = folder) => ({
  [`node_modules/${folder}/jsx-runtime.js`]: `export const jsx = (type, { title, children }) => '${name} ' + type + title + children`,
  [`node_modules/${folder.split('/')[0]}/package.json`]: `{"name":"${folder.split('/')[0]}","type":"module","exports":{"./jsx-runtime":"./jsx-runtime.js","./jsx/jsx-runtime":"./jsx/jsx-runtime.js"}}`,
})
const entry = { 'package.json': '{"name":"app","main":"app.tsx"}' }

test('the library that is installed makes the elements', async t => {
  for (const folder of ['react', 'preact', 'hono/jsx'])
    t.regex(
      (await buildFolder(folderOf(t, { 'app.tsx': app(), ...entry, ...library(folder) }))).output,
      new RegExp(`made ${folder} patext\n`),
    )
})

test('of several the one that package.json depends on; react before preact before hono', async t => {
  const all = { ...library('react'), ...library('preact'), ...library('hono/jsx') }
  for (const [dependencies, expected] of [
    [{ hono: '1' }, 'hono/jsx'],
    [{ hono: '1', preact: '1' }, 'preact'],
    [{ preact: '1', react: '1' }, 'react'],
    [{}, 'react'],
  ] as const) {
    const manifest = JSON.stringify({ name: 'app', main: 'app.tsx', dependencies })
    const { output } = await buildFolder(folderOf(t, { 'app.tsx': app(), ...all, 'package.json': manifest }))
    t.regex(output, new RegExp(`made ${expected} patext\n`))
  }
})

test('tsconfig.json and comments in the file decide first', async t => {
  const files = { ...entry, ...library('preact'), ...library('other') }
  const withConfig = (compilerOptions: object) => ({ ...files, 'app.tsx': app(), 'tsconfig.json': JSON.stringify({ compilerOptions }) })
  t.regex((await buildFolder(folderOf(t, withConfig({ jsx: 'react-jsx', jsxImportSource: 'other' })))).output, /made other patext\n/)
  t.regex((await buildFolder(folderOf(t, withConfig({ jsxImportSource: 'other' })))).output, /made other patext\n/)
  t.regex((await buildFolder(folderOf(t, { ...files, 'app.tsx': app('/** @jsxImportSource other */') }))).output, /made other patext\n/)
  const classic = "/** @jsx h */\nconst h = (...all: unknown[]) => 'own ' + all[0] + all[2]\n"
  const { output, warnings } = await buildFolder(folderOf(t, { ...files, 'app.tsx': app(classic) }))
  t.regex(output, /made own ptext\n/)
  t.deepEqual(warnings, [])
})

test('without a library: a build error with a sentence', async t => {
  for (const files of [{}, { 'tsconfig.json': '{"compilerOptions":{"jsx":"preserve"}}' }] as Record<string, string>[]) {
    const error = await t.throwsAsync(bundleFolder(folderOf(t, { 'app.tsx': app(), ...entry, ...files })), { instanceOf: CliError })
    t.is(error!.message, 'JSX needs a library such as Preact, React or Hono, and none is installed')
    t.regex(error!.where!, /app\.tsx:2:/)
    t.regex(error!.todo!, /npm install preact/)
  }
})

test('the classic way without React in reach: the warning says what to do', async t => {
  const files = { 'app.tsx': app(), ...entry, 'tsconfig.json': '{"compilerOptions":{"jsx":"react"}}' }
  t.regex(
    (await buildFolder(folderOf(t, files))).warnings[0],
    /^JSX becomes calls of React here, and React is not imported: .*jsx.*\n.*app\.tsx:2:/,
  )
})
