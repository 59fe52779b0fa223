/** What the JavaScript of a program knows of a module: small, since it is in the image. */
import { externalsOf } from './glue.ts'
import type { External, FunctionType, GlobalType, Limits, ValueType, WasmModule } from './module.ts'

/** Letters of the types of parameters, `>`, letters of results: i is i32, j i64, f f32, d f64, r funcref, e externref. */
export type Signature = string
/** [initial, maximum] in pages or entries. */
export type LimitsShape = readonly [initial: number, maximum?: number]
/** [letter of the type, 1 when it is mutable]. */
export type GlobalShape = readonly [type: string, mutable: 0 | 1]
export type Shape =
  | readonly [kind: 'function', type: Signature]
  | readonly [kind: 'table' | 'memory', type: LimitsShape]
  | readonly [kind: 'global', type: GlobalShape]

export interface ModuleShape {
  /** 16 hexadecimal digits, of the module's bytes. */
  readonly hash: string
  readonly imports: readonly (readonly [module: string, name: string, ...Shape])[]
  /**
   * `at`: of a function, its place in `functions`; of others, their number at run time. `imported`: of what is imported and exported again, its place in
   * `imports`; else -1.
   */
  readonly exports: readonly (readonly [name: string, at: number, imported: number, ...Shape])[]
  /** Index and signature of the functions that somebody outside of the module can have. */
  readonly functions: readonly (readonly [index: number, type: Signature])[]
}

const letters: Record<ValueType, string> = { i32: 'i', i64: 'j', f32: 'f', f64: 'd', funcref: 'r', externref: 'e' }
const list = (types: readonly ValueType[]) => types.map(type => letters[type]).join('')
const signature = ({ params, results }: FunctionType): Signature => `${list(params)}>${list(results)}`
const limits = ({ initial, maximum }: Limits): LimitsShape => (maximum === undefined ? [initial] : [initial, maximum])
const global = ({ value, mutable }: GlobalType): GlobalShape => [letters[value], mutable ? 1 : 0]

function shape(one: External): Shape {
  if (one.kind === 'function') return [one.kind, signature(one.type)]
  return one.kind === 'global' ? [one.kind, global(one.type)] : [one.kind, limits(one.type)]
}

export function describeModule(hash: string, module: WasmModule): ModuleShape {
  const externals = externalsOf(module)
  const imported = (kind: External['kind'], index: number) => {
    const one = module.imports.filter(other => other.kind === kind)[index]
    return one === undefined ? -1 : module.imports.indexOf(one)
  }
  return {
    hash,
    imports: module.imports.map(one => [one.module, one.name, ...shape(one)]),
    exports: module.exports.map(one => {
      const isFunction = one.kind === 'function'
      const at = isFunction
        ? module.reachable.indexOf(one.index)
        : externals.findIndex(({ kind, index }) => kind === one.kind && index === one.index)
      return [one.name, at, imported(one.kind, one.index), ...shape(one)]
    }),
    functions: module.reachable.map(index => [index, signature(module.functions[index])]),
  }
}
