/**
 * `assets('./folder')` in the modules of a program. Each module that imports 'xen-ts' gets a function of its own for `assets`, which
 * knows whose folder is meant; esbuild follows its names wherever they lead. What becomes of its calls: assets.ts.
 */
import { createHash } from 'node:crypto'
import { dirname, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Plugin } from 'esbuild'
import { moduleName } from './module-names.ts'

const namespace = 'own-assets'
export const prefix = '__assets_'
const inRuntime = fileURLToPath(import.meta.resolve('@xen-ts/runtime'))

/** Whether a path of esbuild's is that of such a function. */
export const isOwnAssets = (path: string): boolean => path.startsWith(`${namespace}:`)

/**
 * Gives modules their own `assets`.
 * @param root of the project: names depend on paths relative to it only, and those of xen-ts on their places in it
 * @param onModule called with the name of a module's function, and the module's path
 */
export function ownAssets(root: string, onModule: (name: string, path: string) => void): Plugin {
  return {
    name: 'own-assets',
    setup(build) {
      build.onResolve({ filter: /^(xen-ts|@xen-ts\/runtime)$/ }, args => {
        if (args.namespace !== 'file' || args.importer === '' || args.pluginData !== undefined) return undefined
        // The path is in the bundle: another's folder must not make it another.
        const pluginData = { from: args.path, importer: args.importer }
        return { path: relative(root, args.importer), namespace, sideEffects: false, pluginData }
      })
      build.onLoad({ filter: /./, namespace }, ({ pluginData: { from, importer } }) => {
        const name = prefix + createHash('sha256').update(moduleName(importer, root)).digest('hex').slice(0, 12)
        onModule(name, importer)
        const contents = `export * from ${JSON.stringify(from)}
import { assets } from ${JSON.stringify(inRuntime)}
export { ${name} as assets }
function ${name}(path, options) { return assets(__assets?.get('${name} ' + JSON.stringify([path, options?.compress])) ?? path) }`
        return { contents, loader: 'js', resolveDir: dirname(importer) }
      })
    },
  }
}
