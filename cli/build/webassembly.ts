/**
 * `import module from './x.wasm'`, and under the names that bundlers for edge runtimes give it: `x.wasm?module`. In an image it is a module that was
 * compiled with the program (@xen-ts/boot/wasm); a process has Node's own WebAssembly.
 */
import { readFileSync } from 'node:fs'
import { basename, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describeModule, hashOf, linkWasm, type NamedModule, readModule, WasmError } from '@xen-ts/boot/wasm'
import type { Metafile, OnLoadResult, Plugin } from 'esbuild'
import { CliError } from '../errors.ts'

const namespace = 'wasm'

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
      build.onLoad({ filter: /./, namespace }, ({ path }) => {
        const bytes = readFileSync(resolve(root, path))
        return isProcess ? forNode(bytes) : forImage(bytes, path)
      })
    },
  }
}

function forNode(bytes: Buffer): OnLoadResult {
  return { contents: `export default new WebAssembly.Module(Buffer.from(${JSON.stringify(bytes.toString('base64'))}, 'base64'))` }
}

function forImage(bytes: Uint8Array, path: string): OnLoadResult {
  try {
    const shape = describeModule(hashOf(bytes), readModule(bytes))
    const contents = `import { compiledModule } from '@xen-ts/runtime/web/webassembly'\nexport default compiledModule(${JSON.stringify(shape)})`
    return { contents, resolveDir: fileURLToPath(new URL('.', import.meta.url)) }
  } catch (error) {
    if (!(error instanceof WasmError)) throw error
    return { errors: [{ text: `${path}: ${error.message}`, notes: [{ text: error.todo }] }] }
  }
}

/** The modules of a bundle. */
export function wasmModules({ inputs }: Metafile, root: string): NamedModule[] {
  return Object.keys(inputs)
    .filter(input => input.startsWith(`${namespace}:`))
    .map(input => {
      const path = input.slice(namespace.length + 1)
      const bytes = readFileSync(resolve(root, path))
      return { name: basename(path), hash: hashOf(bytes), module: readModule(bytes) }
    })
}

/** Compiles them. @param root of the project, whose cache they come into @throws CliError */
export function compiledCode(modules: readonly NamedModule[], root: string): ReturnType<typeof linkWasm> {
  try {
    return linkWasm(modules, resolve(root, 'node_modules/.cache/xen-ts'))
  } catch (error) {
    if (error instanceof WasmError) throw new CliError(error.message, modules.map(({ name }) => name).join(', '), error.todo)
    throw error
  }
}
