/** What becomes of a program's modules of WebAssembly: most programs have none, and are built without what is imported here. */
import { readFileSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compileModule, describeModule, hashOf, linkWasm, type NamedModule, readModule, WasmError } from '@xen-ts/boot/wasm'
import { keyOf } from '@xen-ts/runtime/web/webassembly'
import type { OnLoadResult } from 'esbuild'
import { CliError } from '../errors.ts'

/** Bytes of modules that stand in a text, by their hashes. */
const texts = new Map<string, Uint8Array>()
const own = '@xen-ts/runtime/web/webassembly'
const resolveDir = fileURLToPath(new URL('.', import.meta.url))
const cacheOf = (root: string) => resolve(root, 'node_modules/.cache/xen-ts')

/** The module that has those of these hashes. */
export function forTexts(hashes: readonly string[]): OnLoadResult {
  const modules = hashes.map(hash => `compiledModule(${shapeOf(texts.get(hash)!)})`)
  return { contents: [`import { compiledModule } from '${own}'`, ...modules].join('\n'), resolveDir }
}

export function forNode(bytes: Buffer): OnLoadResult {
  return { contents: `export default new WebAssembly.Module(Buffer.from(${JSON.stringify(bytes.toString('base64'))}, 'base64'))` }
}

export function forImage(bytes: Uint8Array, path: string): OnLoadResult {
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

/** @param inputs of a bundle, with their namespaces */
export function modulesOf(inputs: readonly (readonly [kind: string, path: string])[], root: string): NamedModule[] {
  const named = (name: string, bytes: Uint8Array) => ({ name, hash: hashOf(bytes), module: readModule(bytes) })
  return inputs.flatMap(([kind, path]) =>
    kind === 'wasm-text'
      ? path.split(',').map(hash => named(hash, texts.get(hash)!))
      : [named(basename(path), readFileSync(resolve(root, path)))],
  )
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
