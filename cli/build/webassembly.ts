/**
 * `import module from './x.wasm'`, and under the names that bundlers for edge runtimes give it: `x.wasm?module`. In an image it is a module that was
 * compiled with the program (@xen-ts/boot/wasm); a process has Node's own WebAssembly.
 */
import { readFileSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import type { NamedModule } from '@xen-ts/boot/wasm'
import type { Metafile, Plugin } from 'esbuild'
import type { EmbeddedModules } from './webassembly-modules.ts'

const namespaces = ['wasm', 'wasm-text'] as const
const [namespace, textNamespace] = namespaces
/** `import 'xen-ts-wasm:HASH,HASH'`: modules that a program has in its text. */
const embedded = 'xen-ts-wasm:'
const theirs = () => import('./webassembly-modules.ts')

/** @param root of the project @param isProcess for Node */
export function webAssembly(root: string, isProcess = false): Plugin {
  return {
    name: 'webassembly',
    setup(build) {
      build.onResolve({ filter: /\.wasm(?:\?[^/]*)?$/ }, async ({ path, pluginData, ...args }) => {
        if (pluginData === namespace) return undefined
        const found = await build.resolve(path.replace(/\?.*$/, ''), { ...args, pluginData: namespace })
        if (found.errors.length > 0) return { errors: found.errors }
        return { path: relative(root, found.path), namespace }
      })
      build.onResolve({ filter: /^xen-ts-wasm:/ }, ({ path }) => ({ path: path.slice(embedded.length), namespace: textNamespace }))
      build.onLoad({ filter: /./, namespace: textNamespace }, async ({ path }) => (await theirs()).forTexts(path.split(',')))
      build.onLoad({ filter: /./, namespace }, async ({ path }) => {
        const { forImage, forNode } = await theirs()
        const bytes = readFileSync(resolve(root, path))
        return isProcess ? forNode(bytes) : forImage(bytes, path)
      })
    },
  }
}

export const embeddedImport = (hashes: readonly string[]): string[] => (hashes.length === 0 ? [] : [`import '${embedded}${hashes}'`])

/** Those that stand in a program's text. */
export async function embeddedModules(code: string, root: string): Promise<EmbeddedModules> {
  return /\bWebAssembly\b/.test(code) ? (await theirs()).embeddedModules(code, root) : { hashes: [], warnings: [] }
}

/** The modules of a bundle. */
export async function wasmModules({ inputs }: Metafile, root: string): Promise<NamedModule[]> {
  const found = Object.keys(inputs).flatMap(input => {
    const at = input.indexOf(':')
    return namespaces.some(kind => kind === input.slice(0, at)) ? [[input.slice(0, at), input.slice(at + 1)] as const] : []
  })
  return found.length === 0 ? [] : (await theirs()).modulesOf(found, root)
}
