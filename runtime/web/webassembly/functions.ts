/** Functions of instances: https://webassembly.github.io/spec/js-api/#exported-function-exotic-objects */
import type { ModuleShape } from '@xen-ts/boot/wasm'
import { op, run } from './native.ts'
import { get, put } from './values.ts'

/** One that WebAssembly can have in a table. */
export interface Reference {
  readonly instance: number
  /** Its place among those of its module. */
  readonly place: number
  /** Signature. */
  readonly type: string
}

type Exported = (...args: unknown[]) => unknown
const references = new WeakMap<Exported, Reference>()
/** By instance, then by place: the same function is the same object. */
const known = new Map<number, Exported[]>()
const shapes = new Map<number, ModuleShape['functions']>()

export function addInstance(instance: number, functions: ModuleShape['functions']): void {
  shapes.set(instance, functions)
  known.set(instance, [])
}

export const referenceOf = (value: unknown): Reference | undefined => references.get(value as Exported)

export function functionOf(instance: number, place: number): Exported {
  const list = known.get(instance)!
  if (list[place] === undefined) {
    const [index, type] = shapes.get(instance)![place]
    list[place] = exported(instance, place, type)
    Object.defineProperty(list[place], 'name', { value: String(index), configurable: true })
    Object.defineProperty(list[place], 'length', { value: type.indexOf('>'), configurable: true })
    references.set(list[place], { instance, place, type })
  }
  return list[place]
}

function exported(instance: number, place: number, type: string): Exported {
  const [params, results] = type.split('>')
  if (/[re]/.test(type))
    return () => {
      throw new TypeError('WebAssembly: xen-ts cannot pass references to functions of modules')
    }
  switch (results.length) {
    case 0:
      return (...args) => {
        put(params, args)
        run(op.call, instance, place)
      }
    case 1:
      return (...args) => {
        put(params, args)
        run(op.call, instance, place)
        return get(results, 0)
      }
    default:
      return (...args) => {
        put(params, args)
        run(op.call, instance, place)
        return Array.from(results, get)
      }
  }
}
