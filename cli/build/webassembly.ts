/**
 * `import module from './x.wasm'`, and under the names that bundlers for edge runtimes give it: `x.wasm?module`. In an image it is a module that was
 * compiled with the program (@xen-ts/boot/wasm); a process has Node's own WebAssembly.
 */
import { readFileSync } from 'node:fs'
import { basename, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compileModule, describeModule, hashOf, linkWasm, type NamedModule, readModule, WasmError } from '@xen-ts/boot/wasm'
import { keyOf } from '@xen-ts/runtime/web/webassembly'
import type { Metafile, OnLoadResult, Plugin } from 'esbuild'
import { CliError } from '../errors.ts'

const namespace = 'wasm'
/** `import 'xen-ts-wasm:HASH,HASH'`: modules that a program has in its text. */
const embedded = 'xen-ts-wasm:'
/** Their bytes, by their hashes. */
const texts = new Map<string, Uint8Array>()
const own = '@xen-ts/runtime/web/webassembly'
const resolveDir = fileURLToPath(new URL('.', import.meta.url))
const cacheOf = (root: string) => resolve(root, 'node_modules/.cache/xen-ts')

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
      build.onResolve({ filter: /^xen-ts-wasm:/ }, ({ path }) => ({ path: path.slice(embedded.length), namespace: 'wasm-text' }))
      build.onLoad({ filter: /./, namespace: 'wasm-text' }, ({ path }) => {
        const modules = path.split(',').map(hash => `compiledModule(${shapeOf(texts.get(hash)!)})`)
        return { contents: [`import { compiledModule } from '${own}'`, ...modules].join('\n'), resolveDir }
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
    return { contents: `import { compiledModule } from '${own}'\nexport default compiledModule(${shapeOf(bytes)})`, resolveDir }
  } catch (error) {
    if (!(error instanceof WasmError)) throw error
    return { errors: [{ text: `${path}: ${error.message}`, notes: [{ text: error.todo }] }] }
  }
}

/** What the image's JavaScript knows of a module, as arguments. */
const shapeOf = (bytes: Uint8Array) =>
  [describeModule(hashOf(bytes), readModule(bytes)), keyOf(bytes)].map(one => JSON.stringify(one)).join(', ')

export interface EmbeddedModules {
  readonly hashes: readonly string[]
  readonly warnings: readonly string[]
}

/**
 * Modules that stand in the text of a program or its packages, in base64 or as a list of bytes: what they give to WebAssembly at run time is one of them. They are compiled
 * at once: what cannot be is warned of, since most packages can do without.
 */
export function embeddedModules(code: string, root: string): EmbeddedModules {
  if (!/\bWebAssembly\b/.test(code)) return { hashes: [], warnings: [] }
  const found = new Map<string, Uint8Array>()
  // What begins with the magic number and the version.
  const base64 = [...code.matchAll(/AGFzbQEAAA[\w+/]*={0,2}/g)].map(([text]) => Buffer.from(text, 'base64'))
  const lists = [...code.matchAll(/\[\s*(0,\s*97,\s*115,\s*109,\s*1,\s*0,\s*0,\s*0\b[\d\s,]*)\]/g)].map(([, list]) =>
    list.split(',').map(Number),
  )
  for (const bytes of [...base64, ...lists].map(one => Uint8Array.from(one))) found.set(hashOf(bytes), bytes)
  const hashes: string[] = []
  const warnings = new Set<string>()
  for (const [hash, bytes] of found) {
    try {
      compileModule(readModule(bytes), cacheOf(root))
      texts.set(hash, bytes)
      hashes.push(hash)
    } catch (error) {
      if (!(error instanceof WasmError)) throw error
      warnings.add(`a module of WebAssembly in the program's text is left out: ${error.message}\n${error.todo}`)
    }
  }
  return { hashes: hashes.sort(), warnings: [...warnings] }
}

export const embeddedImport = (hashes: readonly string[]): string[] => (hashes.length === 0 ? [] : [`import '${embedded}${hashes}'`])

/** The modules of a bundle. */
export function wasmModules({ inputs }: Metafile, root: string): NamedModule[] {
  const named = (name: string, bytes: Uint8Array) => ({ name, hash: hashOf(bytes), module: readModule(bytes) })
  return Object.keys(inputs).flatMap(input => {
    const [kind, path] = [input.slice(0, input.indexOf(':')), input.slice(input.indexOf(':') + 1)]
    if (kind === 'wasm-text') return path.split(',').map(hash => named(hash, texts.get(hash)!))
    return kind === namespace ? [named(basename(path), readFileSync(resolve(root, path)))] : []
  })
}

/** Compiles them. @param root of the project, whose cache they come into @throws CliError */
export function compiledCode(modules: readonly NamedModule[], root: string): ReturnType<typeof linkWasm> {
  try {
    return linkWasm(modules, cacheOf(root))
  } catch (error) {
    if (error instanceof WasmError) throw new CliError(error.message, undefined, error.todo)
    throw error
  }
}
