/** Compiled modules as code of an image: runtime.c, the modules, and the table through which the kernel and runtime.c find them. */
import { createHash } from 'node:crypto'
import type { CodePart, Relocation } from '../image/code.ts'
import { ImageError } from '../image/error.ts'
import { codeOfObject } from '../image/object.ts'
import { compileModule, compileRuntime } from './compile.ts'
import { WasmError } from './error.ts'
import { description, signature, typeId } from './glue.ts'
import type { WasmModule } from './module.ts'

export interface NamedModule {
  /** Shown in reports of traps. */
  readonly name: string
  /** By which programs find it, see hashOf(). */
  readonly hash: string
  readonly module: WasmModule
}

/** 64 bits in hexadecimal digits, of a module's bytes. */
export const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex').slice(0, 16)

/** The parts; none where there are no modules. In whatever order they come, the result is the same. Throws a WasmError or an ImageError. */
export function linkWasm(given: readonly NamedModule[], cache: string): CodePart[] {
  if (given.length === 0) return []
  const modules = [...new Map(given.map(one => [one.hash, one])).values()].sort((a, b) => (a.hash < b.hash ? -1 : 1))
  checkTypes(modules)
  const runtime = codeOfObject(compileRuntime(cache), 'WebAssembly')
  const compiled = modules.map(({ name, module }, i) => codeOfObject(compileNamed(name, module, cache), `WebAssembly ${i}: ${name}`))
  const inRuntime = (relocation: Relocation): Relocation => {
    const offset = typeof relocation.target === 'string' ? runtime.symbols.get(relocation.target) : undefined
    return offset === undefined ? relocation : { ...relocation, target: { part: runtime.name, offset } }
  }
  const address = (offset: number, part: (typeof compiled)[number], symbol: string): Relocation => ({
    offset,
    kind: 'abs64',
    target: { part: part.name, offset: part.symbols.get(symbol)! },
    addend: 0,
  })
  const bytes = new Uint8Array(16 + 16 * modules.length)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(8, BigInt(modules.length), true)
  modules.forEach(({ hash }, i) => {
    view.setUint32(16 + 16 * i, Number.parseInt(hash.slice(0, 8), 16), true)
    view.setUint32(20 + 16 * i, Number.parseInt(hash.slice(8), 16), true)
  })
  const table: CodePart = {
    name: 'WebAssembly, modules',
    bytes,
    align: 16,
    relocations: [address(0, runtime, 'wasm_run'), ...compiled.map((part, i) => address(24 + 16 * i, part, description))],
    table: 'wasm',
  }
  return [table, runtime, ...compiled.map(part => ({ ...part, relocations: part.relocations.map(inRuntime) }))]
}

function compileNamed(name: string, module: WasmModule, cache: string): Uint8Array {
  try {
    return compileModule(module, cache)
  } catch (error) {
    if (error instanceof WasmError) throw new WasmError(`${name}: ${error.message}`, error.todo)
    throw error
  }
}

/** An indirect call compares numbers of types: if two types had one, a function could be called with what it does not expect. */
function checkTypes(modules: readonly NamedModule[]): void {
  const found = new Map<number, string>()
  for (const { name, module } of modules) {
    for (const type of module.types) {
      const known = found.get(typeId(type))
      if (known !== undefined && known !== signature(type))
        throw new ImageError(`${name} has function types that share a number (${known} and ${signature(type)}): it cannot be told apart`)
      found.set(typeId(type), signature(type))
    }
  }
}
