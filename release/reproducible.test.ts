/** The same program gives the same image, whoever builds it, and wherever. */
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test from 'ava'
import { User } from './testing/user.ts'

const root = join(import.meta.dirname, '..')

/** What the program is made of: a website, a package in node_modules, a tsconfig.json. Files appear in another order when `backwards`. */
function copyProgram(to: string, backwards: boolean): void {
  const copy = (from: string, into: string): void => {
    mkdirSync(into, { recursive: true })
    const names = readdirSync(from).sort()
    for (const name of backwards ? names.reverse() : names) {
      if (statSync(join(from, name)).isDirectory()) copy(join(from, name), join(into, name))
      else cpSync(join(from, name), join(into, name))
    }
  }
  copy(join(root, 'create/templates/website'), to)
  copy(join(root, 'node_modules/hono'), join(to, 'node_modules/hono'))
  cpSync(join(to, '_package.json'), join(to, 'package.json'))
  writeFileSync(join(to, 'app.ts'), readFileSync(join(to, 'app.ts'), 'utf8').replaceAll('{{name}}', 'site'))
}

for (const target of ['qubes', 'xen', 'unix']) {
  test(`target ${target}: folder, user, home, locale, time zone and umask do not show`, async t => {
    t.timeout(120_000)
    const name = target === 'unix' ? 'site.js' : 'site.xen'
    const build = async (user: User, folder: string, backwards: boolean, options: Parameters<User['run']>[2]) => {
      const path = user.folder(folder)
      copyProgram(path, backwards)
      const tool = join(root, 'cli/bin.ts')
      const out = user.folder('out')
      // From different folders, too.
      const { code, stderr } = await user.run(
        backwards ? dirname(path) : path,
        `node ${tool} build "${path}" -t ${target} -o ${out}/${name}`,
        options,
      )
      t.is(code, 0, stderr)
      return readFileSync(join(out, name))
    }
    using one = new User()
    using other = new User({ LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8', TZ: 'Pacific/Kiritimati' })
    const images = await Promise.all([
      build(one, 'site', false, {}),
      build(other, 'a much/deeper/folder of/website', true, {
        umask: '077',
        env: { TMPDIR: other.home, NODE_ENV: 'development', USER: 'somebody' },
      }),
    ])
    t.true(images[0].equals(images[1]))
    t.true(images[0].length > 100_000)
  })
}
