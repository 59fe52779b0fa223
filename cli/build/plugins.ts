import { readFileSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Plugin, ResolveResult } from 'esbuild'
import { ownExports, ownPath } from './own.ts'
import { OWN } from './unresolved.ts'

/** As a regular expression of Go, which knows fewer escapes than ours. */
const escaped = (path: string): string => path.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** `xen-ts` and `@xen-ts/*` are always this tool's own copies: one runtime in an image, whatever a project has installed. */
export function ownPackages(): Plugin {
  const ours = {}
  return {
    name: 'own-packages',
    setup(build) {
      const resolved = new Map<string, Promise<ResolveResult>>()
      build.onResolve({ filter: /^(xen-ts|@xen-ts\/.+)$/ }, async ({ path, kind, pluginData }) => {
        if (pluginData === ours) return undefined
        // By esbuild's own resolver, so that a module is the same however it is reached: what package.json says of side effects counts.
        const resolveDir = fileURLToPath(new URL('..', import.meta.url))
        const known = resolved.get(`${kind} ${path}`) ?? build.resolve(path, { kind, resolveDir, pluginData: ours })
        resolved.set(`${kind} ${path}`, known)
        const found = await known
        if (found.errors.length > 0)
          return {
            errors: [
              {
                text: `there is no module ${path}`,
                notes: [{ text: OWN }],
              },
            ],
          }
        return { path: found.path, sideEffects: found.sideEffects }
      })
      // esbuild adds the directive to modules of TypeScript that it has resolved by itself, because tsconfig.json says `strict`. (It asks for
      // these files only: to be asked for each would take as long as to read them.) Some are imported by their paths as well: the text must not
      // depend on which comes first, for the map has its columns.
      const modules = ownExports().filter(file => file.endsWith('.ts'))
      if (modules.length === 0) return
      build.onLoad({ filter: new RegExp(`^(?:${modules.map(escaped).join('|')})$`) }, ({ path }) => ({
        contents: `"use strict";${readFileSync(path, 'utf8')}`,
        loader: 'ts',
        resolveDir: dirname(path),
      }))
    },
  }
}

/** The relative imports that may be of a module, by the name of its file; without its types it ends in .js. */
const byFile = (path: string): string => `^\\..*/${escaped(basename(path).replace(/\.ts$/, ''))}\\.[jt]s$`

/**
 * Modules of ours that nothing of the program reaches: another one stands for them, or nothing, and what they export is undefined.
 * @param modules by `@xen-ts/NAME`, or by their paths from the folder of xen-ts: the `@xen-ts/NAME` of what stands for them there, or ''
 */
export function without(modules: Readonly<Record<string, string>>): Plugin {
  const named = Object.keys(modules)
  return {
    name: 'without',
    setup(build) {
      if (named.length === 0) return
      // It asks for what has such a name only: to be asked for each import takes esbuild a fifth of its time.
      const filter = new RegExp(named.map(name => (name.startsWith('@') ? `^${escaped(name)}$` : byFile(name))).join('|'))
      build.onResolve({ filter }, ({ path, resolveDir }) => {
        const file = path.startsWith('.') ? resolve(resolveDir, path) : undefined
        const module = file === undefined ? path : ownPath(file)
        if (module === undefined || !Object.hasOwn(modules, module)) return undefined
        const instead = modules[module]
        if (file === undefined || instead === '') return { path: module, namespace: 'without', sideEffects: false }
        return { path: fileURLToPath(import.meta.resolve(instead)) }
      })
      // Not ES modules: of those it is an error to import what is not there.
      build.onLoad({ filter: /./, namespace: 'without' }, () => ({ contents: 'module.exports = {}', loader: 'js' }))
    },
  }
}

/** `import 'xen-ts-defaults:["--name=value"]'` leaves these words for `boot`. */
export function buildDefaults(): Plugin {
  const prefix = 'xen-ts-defaults:'
  return {
    name: 'build-defaults',
    setup(build) {
      build.onResolve({ filter: /^xen-ts-defaults:/ }, ({ path }) => ({ path: path.slice(prefix.length), namespace: 'defaults' }))
      build.onLoad({ filter: /./, namespace: 'defaults' }, ({ path }) => ({
        contents: `import { builtDefaults } from '@xen-ts/runtime/defaults'\nbuiltDefaults.push(...${path})`,
        resolveDir: fileURLToPath(new URL('.', import.meta.url)),
        loader: 'js',
      }))
    },
  }
}

/** While a program is examined, descriptions of devices know where they were made: runtime/examine/device.ts stands for runtime/device.ts. */
export function placedDevices(): Plugin {
  const instead = fileURLToPath(import.meta.resolve('@xen-ts/runtime/examine/device'))
  const original = fileURLToPath(import.meta.resolve('@xen-ts/runtime/device'))
  return {
    name: 'placed-devices',
    setup(build) {
      build.onResolve({ filter: /^@xen-ts\/runtime\/device$|\/device\.[jt]s$/ }, ({ path, resolveDir, importer }) => {
        const isOriginal = path.startsWith('@') || resolve(resolveDir, path) === original
        return isOriginal && importer !== instead ? { path: instead } : undefined
      })
    },
  }
}
