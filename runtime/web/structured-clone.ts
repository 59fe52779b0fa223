/**
 * structuredClone: https://html.spec.whatwg.org/#structured-cloning . Cycles and shared parts are kept; functions and symbols are
 * refused.
 */
import { DOMException } from './dom-exception.ts'
import { isPlatformObject } from './expose.ts'
import { cloneOfBlob } from './file/linked.ts'

const errors: Readonly<Record<string, ErrorConstructor>> = { EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError }

export function structuredClone<T>(value: T, options: { transfer?: ArrayBuffer[] } = {}): T {
  const seen = new Map<object, unknown>()
  const transfer = new Set(options.transfer ?? [])
  return clone(value, seen, transfer) as T
}

function clone(value: unknown, seen: Map<object, unknown>, transfer: ReadonlySet<ArrayBuffer>): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') throw refuse(String(value))
  if (typeof value !== 'object' || value === null) return value
  if (seen.has(value)) return seen.get(value)
  const keep = <C>(copy: C): C => {
    seen.set(value, copy)
    return copy
  }
  const inner = (part: unknown) => clone(part, seen, transfer)

  if (value instanceof Boolean || value instanceof Number || value instanceof String || value instanceof BigInt)
    return keep(Object(value.valueOf()))
  if (value instanceof Date) return keep(new Date(value.getTime()))
  if (value instanceof RegExp) return keep(new RegExp(value.source, value.flags))
  if (value instanceof ArrayBuffer) return keep(transfer.has(value) ? value.transfer() : value.slice(0))
  if (ArrayBuffer.isView(value)) {
    const { byteOffset, byteLength } = value
    const length = (value as Uint8Array).length
    const buffer = inner(value.buffer) as ArrayBuffer
    // By what it is, not by the constructor that it says it has.
    if (value instanceof DataView) return keep(new DataView(buffer, byteOffset, byteLength))
    const Class = views.find(view => tagOf.call(value) === view.name) as (typeof views)[number]
    return keep(new Class(buffer, byteOffset, length))
  }
  if (value instanceof Map) {
    const copy = keep(new Map())
    for (const [key, item] of [...value]) copy.set(inner(key), inner(item))
    return copy
  }
  if (value instanceof Set) {
    const copy = keep(new Set())
    for (const item of [...value]) copy.add(inner(item))
    return copy
  }
  if (value instanceof Error) {
    const copy = keep(
      value instanceof DOMException
        ? new DOMException(value.message, value.name)
        : new (Object.hasOwn(errors, value.name) ? errors[value.name] : Error)(value.message),
    )
    if (value.stack !== undefined) Object.defineProperty(copy, 'stack', { value: value.stack, writable: true, configurable: true })
    if ('cause' in value) Object.defineProperty(copy, 'cause', { value: inner(value.cause), writable: true, configurable: true })
    return copy
  }
  const blob = cloneOfBlob(value)
  if (blob !== undefined) return keep(blob)
  if (refused.some(Class => value instanceof Class) || isPlatformObject(value)) throw refuse(`#<${value.constructor.name}>`)
  const copy: any = keep(Array.isArray(value) ? new Array(value.length) : {})
  for (const key of Object.keys(value)) {
    const part = inner((value as any)[key])
    // An assignment to __proto__ would set the prototype.
    if (key === '__proto__') Object.defineProperty(copy, key, { value: part, writable: true, configurable: true, enumerable: true })
    else copy[key] = part
  }
  return copy
}

const views = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  ...('Float16Array' in globalThis ? [(globalThis as any).Float16Array as typeof Float32Array] : []),
] as (new (
  buffer: ArrayBuffer,
  byteOffset: number,
  length: number,
) => object)[]
const tagOf = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)?.get as () => string

const refused = [Promise, WeakMap, WeakSet, WeakRef]
const refuse = (what: string) => new DOMException(`${what} could not be cloned.`, 'DataCloneError')
