/** What to say of an import that leads nowhere. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { nearest } from '@xen-ts/runtime/machine'
import { isInstalled, missingJsx } from './jsx.ts'
import { nodeModule } from './modules.ts'

export interface Advice {
  readonly text: string
  readonly hint: string
}

/** What programs import of ours. */
export const OWN = "programs import from 'xen-ts', '@xen-ts/drivers' and '@xen-ts/qubes'"

/**
 * @param path as it was written
 * @param folder of the file with the import
 * @param root the project's folder
 */
export function unresolved(path: string, target: string, folder: string, root: string): Advice {
  const known = missingJsx(path) ?? nodeModule(path, target)
  if (known !== undefined) return known
  if (/^(\.{0,2}\/|\.{1,2}$)/.test(path)) return noFile(path, folder)
  if (path.startsWith('xen-ts/')) return { text: `there is no module ${path}`, hint: OWN }
  const name = /^(@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? path
  if (name !== path && isInstalled(name, folder))
    return { text: `package ${name} has no ${path}`, hint: `its package.json says under exports what it has` }
  const near = nearest(name, dependencies(root))
  return {
    text: `there is no package ${name}`,
    hint:
      near !== undefined && near !== name
        ? `did you mean ${near}? Otherwise: npm install ${name}`
        : `is its name right? npm install ${name}`,
  }
}

function noFile(path: string, folder: string): Advice {
  const beside = dirname(resolve(folder, path))
  const names = existsSync(beside) ? readdirSync(beside).filter(name => /\.([cm]?[jt]sx?|json)$/.test(name)) : []
  const near = nearest(basename(path), names)
  const hint =
    near === undefined
      ? 'the path is relative to the file with the import'
      : `did you mean ${path.slice(0, -basename(path).length)}${near}?`
  return { text: `there is no ${path}`, hint }
}

/** Names of the packages that the project's package.json depends on. */
function dependencies(root: string): string[] {
  const manifest = join(root, 'package.json')
  if (!existsSync(manifest)) return []
  const { dependencies = {}, devDependencies = {} } = JSON.parse(readFileSync(manifest, 'utf8'))
  return Object.keys({ ...dependencies, ...devDependencies })
}
