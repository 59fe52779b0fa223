/** https://webassembly.github.io/spec/js-api/#webassembly-namespace , for modules that were compiled when the image was built. */
import type { Abi } from '@xen-ts/boot/abi'
import { expose } from '../expose.ts'
import { makers } from '../makers.ts'
import { CompileError, LinkError, RuntimeError } from './errors.ts'
import { Global } from './global.ts'
import { Instance } from './instance.ts'
import { Memory } from './memory.ts'
import { isModule, Module } from './module.ts'
import { connect } from './native.ts'
import { Table } from './table.ts'

export { keyOf } from './key.ts'
export { compiledModule } from './module.ts'

async function compile(source: unknown): Promise<Module> {
  return new Module(source)
}

async function instantiate(source: unknown, imports?: object): Promise<unknown> {
  if (isModule(source)) return new Instance(source, imports)
  const module = new Module(source)
  return { module, instance: new Instance(module, imports) }
}

const bytesOf = async (source: unknown): Promise<ArrayBuffer> => ((await source) as { arrayBuffer(): Promise<ArrayBuffer> }).arrayBuffer()

function validate(source: unknown): boolean {
  try {
    return new Module(source) !== undefined
  } catch (error) {
    if (error instanceof CompileError) return false
    throw error
  }
}

/** A domain that starts from now on has WebAssembly. */
export function addWebAssembly(): void {
  makers.push(({ abi }) => {
    connect(abi as Abi)
    const namespace = {
      compile,
      instantiate,
      validate,
      compileStreaming: async (source: unknown) => compile(await bytesOf(source)),
      instantiateStreaming: async (source: unknown, imports?: object) => instantiate(await bytesOf(source), imports),
    }
    const classes = { Module, Instance, Memory, Table, Global, CompileError, LinkError, RuntimeError }
    for (const [name, Class] of Object.entries({ Module, Instance, Memory, Table, Global }))
      Object.defineProperty(Class.prototype, Symbol.toStringTag, { value: `WebAssembly.${name}`, configurable: true })
    expose(namespace, classes)
    Object.defineProperty(namespace, Symbol.toStringTag, { value: 'WebAssembly', configurable: true })
    return { WebAssembly: namespace }
  })
}
