import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { CreateError, checkName, create, nameFor, type Template, templates } from './create.ts'

function folder(t: ExecutionContext): string {
  const path = mkdtempSync(join(tmpdir(), 'create-xen-ts-'))
  t.teardown(() => rmSync(path, { recursive: true, force: true }))
  return path
}

const command = (cwd: string, ...args: string[]) =>
  new Promise<{ status: number; stdout: string; stderr: string }>(resolve => {
    const child = execFile(process.execPath, [join(import.meta.dirname, 'bin.ts'), ...args], { cwd }, (error, stdout, stderr) =>
      resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr }),
    )
    child.stdin!.end()
  })

async function refused(t: ExecutionContext, cwd: string, ...args: string[]): Promise<string> {
  const before = readdirSync(cwd)
  const { status, stdout, stderr } = await command(cwd, ...args)
  t.is(status, 1)
  t.is(stdout, '')
  t.deepEqual(readdirSync(cwd), before)
  return stderr
}

for (const template of Object.keys(templates)) {
  test(`${template}: a package with a README of ten lines or so, types, a test and an entry, and nothing left to fill in`, t => {
    const path = join(folder(t), 'new')
    create({ folder: path, template: template as Template, name: 'my-own' })
    const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
    for (const { parentPath, name } of files) {
      t.notRegex(readFileSync(join(parentPath, name), 'utf8'), /\{\{|\}\}/, name)
      t.notRegex(name, /^_/)
    }
    const names = files.map(({ name }) => name)
    for (const name of ['app.ts', 'package.json', 'tsconfig.json', 'README.md', '.gitignore']) t.true(names.includes(name), name)
    t.true(names.some(name => name.endsWith('.test.ts')))
    const manifest = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'))
    const { version } = JSON.parse(readFileSync(join(import.meta.dirname, 'package.json'), 'utf8'))
    t.is(manifest.name, 'my-own')
    t.is(manifest.dependencies['xen-ts'], version)
    t.is(manifest.devDependencies.node, undefined)
  })
}

test('a Node that is too old for xen-ts gets a newer one into the program', async t => {
  const path = join(folder(t), 'new')
  const old = 'data:text/javascript,Object.defineProperty(process.versions,"node",{value:"18.19.0"})'
  await promisify(execFile)(process.execPath, ['--import', old, join(import.meta.dirname, 'bin.ts'), path, '--template', 'skeleton'])
  const { devDependencies, allowScripts } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'))
  t.is(devDependencies.node, '^24')
  t.true(allowScripts.node)
})

test('the command makes the folder and says what comes next', async t => {
  const path = folder(t)
  const { status, stdout } = await command(path, 'Meine Seite', '--template', 'website')
  t.is(status, 0)
  t.regex(stdout, /^Meine Seite: the program meine-seite, from the template website\. Next:\n\n {2}cd Meine Seite\n/)
  t.true(existsSync(join(path, 'Meine Seite/public/style.css')))
})

test('--yes asks nothing', async t => {
  const path = folder(t)
  t.is((await command(path, '--yes')).status, 0)
  t.true(existsSync(join(path, 'my-program/pages.ts')))
})

test('an empty folder, or one with a fresh repository, is filled', async t => {
  const path = folder(t)
  mkdirSync(join(path, '.git'))
  t.is((await command(path, '.', '--template', 'skeleton', '--name', 'here')).status, 0)
  t.true(existsSync(join(path, 'app.ts')))
})

test('nobody to ask', async t => {
  t.regex(
    await refused(t, folder(t)),
    /^error: there is nobody to ask: the input is not a terminal\n {2}name a folder and a template .*--yes\n$/,
  )
})

test('an unknown template', async t => {
  for (const name of ['webseite', 'toString'])
    t.is(
      await refused(t, folder(t), 'a', '--template', name),
      `error: there is no template ${name}\n  --template ${name}\n  templates are website, service, skeleton\n`,
    )
})

test('a folder that is not empty, and a file', async t => {
  const path = folder(t)
  writeFileSync(join(path, 'mine.txt'), 'mine')
  t.is(
    await refused(t, path, '.', '--template', 'skeleton', '--name', 'a'),
    'error: . is not empty\n  it has mine.txt\n  name another folder, or empty that one\n',
  )
  t.regex(await refused(t, path, 'mine.txt', '--yes'), /^error: mine\.txt is a file\n {2}name a folder/)
  t.is(readFileSync(join(path, 'mine.txt'), 'utf8'), 'mine')
})

test('a bad name', async t => {
  for (const name of ['Big', '9lives', '', '-x', 'a b', 'ä', 'x'.repeat(32), 'stub-dm', '../up'])
    t.throws(() => checkName(name), { instanceOf: CreateError, message: `'${name}' cannot be the name of a program` })
  for (const name of ['a', 'x'.repeat(31), 'my_own-1', 'dm']) t.notThrows(() => checkName(name))
  t.throws(() => checkName('hono'), { instanceOf: CreateError, message: "'hono' is the name of a package that the program needs" })
  t.regex(await refused(t, folder(t), 'new', '--yes', '--name', 'A'), /^error: 'A' cannot be the name of a program\n {2}a name begins/)
  t.regex(await refused(t, folder(t), '123', '--yes'), /^error: '' cannot be the name/)
})

test('unknown options, and two folders', async t => {
  t.regex(await refused(t, folder(t), '--tempalte', 'website'), /^error: Unknown option '--tempalte'\n {2}npm create xen-ts -- --help/)
  t.regex(await refused(t, folder(t), 'a', 'b', '--yes'), /^error: one folder is made, and not a, b\n/)
})

test('a folder that cannot be made', async t => {
  const path = folder(t)
  writeFileSync(join(path, 'file'), '')
  t.regex(await refused(t, path, 'file/new', '--yes'), /^error: .*file\/new cannot be written: ENOTDIR\n {2}choose another folder\n$/)
})

test('names for folders', t => {
  t.deepEqual(['My Site', '/tmp/9 Lives', 'größe'].map(nameFor), ['my-site', 'lives', 'gr-e'])
})
