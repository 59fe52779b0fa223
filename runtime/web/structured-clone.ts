/**
 * structuredClone: https://html.spec.whatwg.org/#structured-cloning . Cycles and shared parts are kept; functions and symbols are
 * refused.
 */
import { DOMException } from './dom-exception.ts'

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
    const Class = value.constructor as any
    return keep(new Class(buffer, byteOffset, value instanceof DataView ? byteLength : length))
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
    const copy = keep(new (errors[value.name] ?? Error)(value.message))
    if (value.stack !== undefined) Object.defineProperty(copy, 'stack', { value: value.stack, writable: true, configurable: true })
    if ('cause' in value) Object.defineProperty(copy, 'cause', { value: inner(value.cause), writable: true, configurable: true })
    return copy
  }
  if (refused.some(Class => value instanceof Class)) throw refuse(`#<${value.constructor.name}>`)
  const copy: any = keep(Array.isArray(value) ? new Array(value.length) : {})
  for (const key of Object.keys(value)) copy[key] = inner((value as any)[key])
  return copy
}

const refused = [Promise, WeakMap, WeakSet, WeakRef]
const refuse = (what: string) => new DOMException(`${what} could not be cloned.`, 'DataCloneError')
