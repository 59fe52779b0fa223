/** The packages as they are published: installed by somebody who has nothing else, they make the very images that the workspace makes. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { buildProgram } from 'xen-ts/tool'
import { Published } from './testing/published.ts'

const published = new Published(test)

const list = (tarball: string): string[] => execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).trim().split('\n')
const read = (tarball: string, file: string): string =>
  execFileSync('tar', ['-xzOf', tarball, file], { encoding: 'utf8', maxBuffer: 64 << 20 })

test('a tarball has JavaScript with declarations and maps, a licence, no test, and no TypeScript but templates', t => {
  t.is(published.tarballs.size, 10)
  for (const [name, tarball] of published.tarballs) {
    const files = list(tarball)
    t.true(files.includes('package/LICENSE'), name)
    t.true(files.includes('package/README.md'), name)
    const modules = files.filter(file => file.endsWith('.js') && !/launch\.js$|\/templates\//.test(file))
    t.true(modules.length > 0, name)
    for (const file of modules) {
      t.true(files.includes(`${file}.map`), file)
      t.true(files.includes(file.replace(/js$/, 'd.ts')), file)
    }
    const shipped = files.filter(file => !file.startsWith('package/templates/'))
    t.deepEqual(
      shipped.filter(file => /\.ts$/.test(file) && !/\.d\.ts$/.test(file)),
      [],
      name,
    )
    t.deepEqual(
      shipped.filter(file => /\.(test|cases)\.|(^|\/)(testing|fixtures?|sim|hostile|interleave)(\/|\.)/.test(file)),
      [],
      name,
    )
  }
})

test('a package.json has one version, no field of the workspace, and names files that are there', t => {
  const versions = new Set<string>()
  for (const [name, tarball] of published.tarballs) {
    const manifest = JSON.parse(read(tarball, 'package/package.json'))
    versions.add(manifest.version)
    t.false('private' in manifest || 'devDependencies' in manifest || 'scripts' in manifest, name)
    t.is(manifest.license, 'MIT', name)
    t.true(manifest.description.length > 10, name)
    const files = list(tarball)
    const named = [manifest.exports ?? {}, manifest.bin ?? {}].flatMap(table =>
      Object.values<any>(table).flatMap(one => (typeof one === 'string' ? one : Object.values<string>(one))),
    )
    t.true(named.length > 0, name)
    for (const file of named) t.true(files.includes(file.replace(/^\./, 'package')), `${name}: ${file}`)
    for (const [needed, version] of Object.entries(manifest.dependencies ?? {}))
      if (published.tarballs.has(needed)) t.is(version, manifest.version, `${name}: ${needed}`)
  }
  t.is(versions.size, 1)
})

test('no path of the machine that made them is in them', t => {
  const places = [join(import.meta.dirname, '..'), published.folder, process.env.HOME ?? '/root/'].filter(place => place.length > 4)
  for (const [name, tarball] of published.tarballs) {
    const content = execFileSync('tar', ['-xzOf', tarball], { maxBuffer: 64 << 20 })
    t.deepEqual(
      places.filter(place => content.includes(place)),
      [],
      name,
    )
  }
})

for (const template of ['website', 'service', 'skeleton']) {
  test.serial(`npm create xen-ts, template ${template}: its own tests pass, and its image is that of the workspace`, async t => {
    t.timeout(240_000)
    const projects = published.user.folder('projects')
    const made = await published.user.run(projects, `npm create xen-ts my-${template} -- --template ${template}`)
    t.is(made.code, 0, made.stderr)
    t.regex(made.stdout, /npm run build/)
    const folder = join(projects, `my-${template}`)
    const steps = await published.user.run(folder, 'npm install --prefer-offline && npm test && npm run build')
    t.is(steps.code, 0, steps.stdout + steps.stderr)
    t.regex(steps.stdout, /# fail 0|ℹ fail 0/)
    // What is kept of the engine names modules of ours: they are found where they are installed.
    t.true(existsSync(join(folder, 'node_modules/.cache/xen-ts/engine.json')))
    const output = join(published.folder, `${template}.xen`)
    const ours = await buildProgram({ app: folder, target: 'qubes', output })
    t.regex(steps.stdout, new RegExp(`sha256 +${ours.sha256}`))
    t.true(readFileSync(output).equals(readFileSync(join(folder, `my-${template}.xen`))))
    // The reader of a README finds ten lines or so, and the name of the program.
    const readme = readFileSync(join(folder, 'README.md'), 'utf8')
    t.true(readme.startsWith(`# my-${template}\n`) && readme.split('\n').length <= 14)
  })
}

/** Runs `xen-ts dev`, changes a page, and looks at it before and after; prints what it saw, then what the tool said. */
const developing = `
node_modules/.bin/xen-ts dev --port 0 2>dev.log & dev=$!
says() { for try in $(seq 600); do if grep -q "$1" dev.log; then return 0; fi; sleep 0.1; done; echo "it did not say $1"; }
page() { node -e 'fetch(process.argv[1]).then(answer => answer.text()).then(text => console.log(/<p>(.*?)[.]/.exec(text)[1]))' "$url"; }
says 'listening on'
url=$(sed -n 's|.*http://localhost\\(:[0-9]*/\\) leads to.*|http://127.0.0.1\\1|p' dev.log)
page
sed -i 's/It works/It works anew/' pages.ts
says 'restarted in'
page
kill $dev; wait $dev; echo "ended: $?"
cat dev.log
`

test.serial('an installed xen-ts dev shows a change', async t => {
  t.timeout(240_000)
  const folder = join(published.user.home, 'projects/my-website')
  const { stdout, stderr } = await published.user.run(folder, developing)
  t.deepEqual(stdout.split('\n').slice(0, 3), ['It works', 'It works anew', 'ended: 0'], stdout + stderr)
  // Positions and paths are those of the project.
  t.notRegex(stdout, /warning|Error/)
})

test.serial('an installed tool prints what dom0 needs, and builds for Node', async t => {
  const folder = join(published.user.home, 'projects/my-skeleton')
  const script = await published.user.run(folder, 'npx xen-ts qubes setup other --from work')
  t.is(script.code, 0, script.stderr)
  t.regex(script.stdout, /qvm-create/)
  const started = await published.user.run(folder, 'npm start')
  t.is(started.code, 0, started.stderr)
  t.regex(started.stdout + started.stderr, /hello, world/)
})
