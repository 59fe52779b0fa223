/** https://webassembly.github.io/spec/js-api/#modules : those that were compiled when the image was built. */
import type { ModuleShape } from '@xen-ts/boot/wasm'
import { CompileError } from './errors.ts'
import { keyOf } from './key.ts'

const shapes = new WeakMap<Module, ModuleShape>()
/** Modules of the image by their bytes. */
const known = new Map<string, ModuleShape>()

export class Module {
  constructor(source: unknown) {
    if (!(source instanceof ArrayBuffer || ArrayBuffer.isView(source)))
      throw new TypeError('WebAssembly.Module: the argument must be an ArrayBuffer or a view of one')
    const bytes =
      source instanceof ArrayBuffer ? new Uint8Array(source) : new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
    const shape = known.get(keyOf(bytes))
    if (shape !== undefined) {
      shapes.set(this, shape)
      return
    }
    throw new CompileError(
      'WebAssembly.Module: xen-ts runs modules that were compiled when the image was built, and these bytes are not one of them; import its file: import module from "./NAME.wasm"',
    )
  }

  static exports(module: Module): { name: string; kind: string }[] {
    return shapeOf(module).exports.map(([name, , , kind]) => ({ name, kind }))
  }

  static imports(module: Module): { module: string; name: string; kind: string }[] {
    return shapeOf(module).imports.map(([from, name, kind]) => ({ module: from, name, kind }))
  }

  /** Custom sections are not in an image. */
  static customSections(module: Module, name: string): ArrayBuffer[] {
    shapeOf(module)
    if (name === undefined) throw new TypeError('WebAssembly.Module.customSections: a name is required')
    return []
  }
}

/** A module of the image. @param key of its bytes */
export function compiledModule(shape: ModuleShape, key: string): Module {
  known.set(key, shape)
  const module = Object.create(Module.prototype)
  shapes.set(module, shape)
  return module
}

export const isModule = (value: unknown): value is Module => shapes.has(value as Module)

export function shapeOf(module: Module): ModuleShape {
  const shape = shapes.get(module)
  if (shape === undefined) throw new TypeError('the argument is not a WebAssembly.Module')
  return shape
}
