import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { CliError } from '../errors.ts'
import { findProject } from './project.ts'

function folder(t: ExecutionContext, files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), 'xen-ts-project-'))
  t.teardown(() => rmSync(root, { recursive: true }))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
  return root
}

const failure = (t: ExecutionContext, app: string): CliError => t.throws(() => findProject(app), { instanceOf: CliError })!

test("a file: the name of its package when it is the package's program, else its own", t => {
  const root = folder(t, { 'package.json': '{"name":"@me/site","version":"1.2.3"}', 'src/app.ts': '', 'src/other one.ts': '' })
  t.like(findProject(join(root, 'src/app.ts')), {
    name: 'site',
    version: '1.2.3',
    root,
    entry: join(root, 'src/app.ts'),
    target: undefined,
  })
  t.like(findProject(join(root, 'src/other one.ts')), { name: 'other-one', version: '1.2.3', root })
})

test('a folder: the entry and target that package.json names', t => {
  const root = folder(t, { 'package.json': '{"name":"www","xen-ts":{"entry":"code/www.ts","target":"qubes"}}', 'code/www.ts': '' })
  t.like(findProject(root), { name: 'www', entry: join(root, 'code/www.ts'), target: 'qubes' })
})

test('a folder without package.json: app.ts, named after the folder', t => {
  const root = folder(t, { 'my-site/app.ts': '' })
  t.like(findProject(join(root, 'my-site')), { name: 'my-site', entry: join(root, 'my-site/app.ts') })
})

test('names that no domain can have', t => {
  const root = folder(t, { '-.x/app.ts': '', '___/app.ts': '', 'my.site/app.ts': '', [`${'long'.repeat(20)}/app.ts`]: '' })
  t.deepEqual(
    ['-.x', '___', 'my.site', 'long'.repeat(20)].map(name => findProject(join(root, name)).name),
    ['x', 'program', 'my.site', 'long'.repeat(20).slice(0, 60)],
  )
})

test('a package.json with something else where a text is to be', t => {
  const root = folder(t, { 'app.ts': '' })
  for (const [json, expected] of [
    ['{"name":5}', /^"name" in package\.json must be a string$/],
    ['{"main":["a"]}', /^"main" in package\.json must be a string$/],
    ['{"xen-ts":{"entry":7}}', /^"xen-ts"\."entry" in package\.json must be a string$/],
    ['{"xen-ts":{"target":{}}}', /^"xen-ts"\."target" in package\.json must be a string$/],
    ['{"xen-ts":"qubes"}', /^"xen-ts" in package\.json must be an object$/],
    ['[]', /^package\.json must be an object$/],
    ['null', /^package\.json must be an object$/],
  ] as const) {
    writeFileSync(join(root, 'package.json'), json)
    const error = failure(t, root)
    t.regex(error.message, expected)
    t.regex(error.where!, /package\.json$/)
    t.truthy(error.todo)
  }
})

test('a missing file gets the nearest name', t => {
  const root = folder(t, { 'app.ts': '' })
  const error = failure(t, join(root, 'ap.ts'))
  t.regex(error.message, /there is no .*ap\.ts/)
  t.regex(error.todo!, /did you mean .*app\.ts/)
})

test('a folder without a program, a wrong entry, broken JSON, a file of another kind', t => {
  const root = folder(t, {
    'empty/readme.txt': '',
    'wrong/package.json': '{"main":"nowhere.ts"}',
    'broken/package.json': '{',
    'broken/app.ts': '',
  })
  t.regex(failure(t, join(root, 'empty')).todo!, /app\.ts/)
  t.regex(failure(t, join(root, 'wrong')).message, /nowhere\.ts does not exist/)
  t.regex(failure(t, join(root, 'broken')).message, /not JSON/)
  t.regex(failure(t, join(root, 'empty/readme.txt')).message, /not a TypeScript or JavaScript file/)
})
