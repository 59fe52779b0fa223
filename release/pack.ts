/**
 * `npm run pack -- [FOLDER] [--repository URL]`: tarballs of all packages, as they are published, in FOLDER (.cache/release). Node runs no
 * TypeScript below node_modules, so these have JavaScript; the kernel is in @xen-ts/boot, ready made.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { compile } from './compile.ts'
import { publishedManifest } from './manifest.ts'
import { shippedModules, withCompiledNames } from './modules.ts'
import { type Package, readWorkspace, type Workspace } from './workspace.ts'

const root = dirname(import.meta.dirname)

/** The kernel has their code, so their licences go with it. */
const licencesInKernel = ['@jitl/quickjs-wasmfile-release-sync']

/**
 * Makes the tarballs of all packages.
 * @param out folder that receives them; it is made
 * @param repository URL of the sources, when package.json does not name it
 * @returns their paths, by the names of the packages
 * @throws Error when the kernel is missing, when TypeScript does not compile, when versions differ
 */
export function packAll(out: string, repository?: string): Map<string, string> {
  if (!existsSync(join(root, 'boot/build/kernel.elf'))) throw new Error('boot/build/kernel.elf is missing: run `make kernel` once')
  const workspace = readWorkspace(root, repository)
  if (workspace.repository === undefined)
    console.error(
      'no repository is named: `npm publish --provenance` will be refused. Give --repository https://HOST/OWNER/NAME, or name it in package.json.',
    )
  const { modules, exports } = shippedModules(workspace)
  mkdirSync(out, { recursive: true })
  const work = mkdtempSync(join(out, 'packing-'))
  try {
    const compiled = join(work, 'compiled')
    mkdirSync(compiled)
    compile(
      root,
      modules.filter(file => file.endsWith('.ts')),
      compiled,
    )
    return new Map(
      [...workspace.packages].map(([name, one]) => {
        const folder = join(work, name)
        assemble(one, workspace, modules, exports.get(name)!, compiled, folder)
        const [{ filename }] = JSON.parse(npm(folder, 'pack', '--json', '--pack-destination', resolve(out)))
        return [name, join(resolve(out), filename)]
      }),
    )
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** Puts together what is in a package. */
function assemble(
  one: Package,
  workspace: Workspace,
  modules: readonly string[],
  exported: ReadonlySet<string>,
  compiled: string,
  folder: string,
): void {
  const source = join(root, one.folder)
  mkdirSync(folder, { recursive: true })
  const inner = [...workspace.packages.values()]
    .map(other => `${other.folder}/`)
    .filter(other => other !== `${one.folder}/` && other.startsWith(`${one.folder}/`))
  const own = modules.filter(file => file.startsWith(`${one.folder}/`) && !inner.some(other => file.startsWith(other)))
  for (const file of own) {
    const made = file.endsWith('.ts') ? ['.js', '.js.map', '.d.ts'].map(ending => file.replace(/\.ts$/, ending)) : [file]
    for (const each of made) {
      const path = join(folder, relative(one.folder, each))
      mkdirSync(dirname(path), { recursive: true })
      if (file.endsWith('.ts')) cpSync(join(compiled, each), path)
      else writeFileSync(path, withCompiledNames(each, readFileSync(join(root, each), 'utf8')), { mode: 0o755 })
    }
  }
  for (const file of one.manifest.files ?? []) cpSync(join(source, file), join(folder, file), { recursive: true })
  if (existsSync(join(source, 'README.md'))) cpSync(join(source, 'README.md'), join(folder, 'README.md'))
  cpSync(join(root, 'LICENSE'), join(folder, 'LICENSE'))
  if (one.manifest.files?.includes('build/kernel.elf')) {
    for (const name of licencesInKernel)
      cpSync(join(root, 'node_modules', name, 'LICENSE'), join(folder, `LICENSE.${name.split('/').at(-1)}`))
  }
  const shipped = new Set(own.map(file => `./${relative(one.folder, file)}`))
  const files = readdirSync(folder).sort()
  const manifest = publishedManifest(one, workspace, exported, file => shipped.has(file), files)
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
}

const npm = (cwd: string, ...args: string[]): string =>
  execFileSync('npm', [...args, '--loglevel=error'], { cwd, encoding: 'utf8', maxBuffer: 64 << 20 })

if (import.meta.main) {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { repository: { type: 'string' } } })
  const out = positionals[0] ?? join(root, '.cache/release')
  for (const tarball of packAll(out, values.repository).values()) console.log(relative(process.cwd(), tarball) || tarball)
}
