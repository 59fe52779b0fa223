/**
 * structuredClone: https://html.spec.whatwg.org/#structured-cloning . Cycles and shared parts are kept; functions and symbols are
 * refused. Not as there: no code can see that an object is a proxy, or that a view has the length of its resizable buffer, so a proxy
 * is cloned as what it shows, and such a view gets a length of its own.
 */
import { byPrototype, serializable, type Transfer, transferable } from './clonable.ts'
import { DOMException } from './dom-exception.ts'
import { isPlatformObject } from './expose.ts'

const errors: Readonly<Record<string, ErrorConstructor>> = { EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError }

export interface TransferOptions {
  transfer?: Iterable<object>
}

/**
 * @param options `transfer`: ArrayBuffers and MessagePorts that are moved, not copied
 * @throws DOMException DataCloneError for what cannot be cloned or moved: nothing was moved then
 */
export function structuredClone<T>(value: T, options?: TransferOptions | null): T {
  if (arguments.length === 0) throw new TypeError('structuredClone: the value is missing')
  return cloneAndMove(value, transferOf(options)).value as T
}

/** The list of a dictionary of options. @throws TypeError for what is none */
export function transferOf(options: TransferOptions | null | undefined): object[] {
  if (options !== undefined && options !== null && typeof options !== 'object' && typeof options !== 'function')
    throw new TypeError('the options must be an object, such as { transfer: [buffer] }')
  const transfer = options?.transfer
  return transfer === undefined ? [] : objectsOf(transfer)
}

/** A sequence of objects. */
export function objectsOf(list: Iterable<object>): object[] {
  const objects = [...list]
  for (const one of objects)
    if ((typeof one !== 'object' && typeof one !== 'function') || one === null) throw new TypeError('what is transferred must be objects')
  return objects
}

/** Where an object will stand that is moved once everything was cloned, or a view of one. */
class Place {
  readonly get: () => object
  constructor(get: () => object) {
    this.get = get
  }
}

/** https://html.spec.whatwg.org/#structuredserializewithtransfer , and the other end at once. @returns with what was moved, in the order of the list */
export function cloneAndMove(value: unknown, transfer: readonly object[]): { value: unknown; moved: object[] } {
  if (transfer.length === 0) return { value: clone(value, new Map()), moved: [] }
  const moved = new Map<object, object>()
  const places = new Map<object, unknown>()
  for (const one of transfer) {
    if (places.has(one)) throw new DOMException('An object is to be transferred twice: name it once in the list.', 'DataCloneError')
    transferOfObject(one)
    places.set(one, new Place(() => moved.get(one)!))
  }
  // What the program's getters do, and what they throw, comes before anything is moved.
  const copy = clone(value, places)
  for (const one of transfer) {
    const { isDetached, move } = transferOfObject(one)
    if (isDetached(one)) throw new DOMException('An object to transfer was transferred before.', 'DataCloneError')
    moved.set(one, move(one))
  }
  return { value: clone(copy, new Map()), moved: [...moved.values()] }
}

const ofBuffers: Transfer = { isDetached: (buffer: ArrayBuffer) => buffer.detached, move: (buffer: ArrayBuffer) => buffer.transfer() }

function transferOfObject(value: object): Transfer {
  const found = value instanceof ArrayBuffer ? ofBuffers : byPrototype(transferable, value)
  if (found === undefined)
    throw new DOMException(
      'Only an ArrayBuffer or a MessagePort can be transferred: leave other objects out of the list.',
      'DataCloneError',
    )
  return found
}

/** @param seen what objects became already */
function clone(value: unknown, seen: Map<object, unknown>): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') throw refuse(String(value))
  if (typeof value !== 'object' || value === null) return value
  if (seen.has(value)) return seen.get(value)
  const keep = <C>(copy: C): C => {
    seen.set(value, copy)
    return copy
  }
  const inner = (part: unknown) => clone(part, seen)

  if (value instanceof Place) return keep(value.get())
  if (value instanceof Boolean || value instanceof Number || value instanceof String || value instanceof BigInt)
    return keep(Object(value.valueOf()))
  if (value instanceof Date) return keep(new Date(value.getTime()))
  if (value instanceof RegExp) return keep(new RegExp(value.source, value.flags))
  if (value instanceof ArrayBuffer) return keep(copyOf(value))
  // All of the program is one agent.
  if (value instanceof SharedArrayBuffer) return value
  if (ArrayBuffer.isView(value)) return keep(view(value, inner))
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
    const copy = keep(errorOf(value))
    if (value.stack !== undefined) Object.defineProperty(copy, 'stack', { value: value.stack, writable: true, configurable: true })
    if ('cause' in value) Object.defineProperty(copy, 'cause', { value: inner(value.cause), writable: true, configurable: true })
    return copy
  }
  const own = byPrototype(serializable, value)
  if (own !== undefined) return keep(own(value, inner))
  if (refused.some(prototype => isPrototypeOf.call(prototype, value)) || isPlatformObject(value))
    throw refuse(`#<${value.constructor?.name}>`)
  const copy: any = keep(Array.isArray(value) ? new Array(value.length) : {})
  for (const key of Object.keys(value)) {
    // A getter may have taken away others.
    if (!Object.hasOwn(value, key)) continue
    const part = inner((value as any)[key])
    // An assignment to __proto__ would set the prototype.
    if (key === '__proto__') Object.defineProperty(copy, key, { value: part, writable: true, configurable: true, enumerable: true })
    else copy[key] = part
  }
  return copy
}

function copyOf(buffer: ArrayBuffer): ArrayBuffer {
  if (buffer.detached) throw new DOMException('An ArrayBuffer is detached and could not be cloned.', 'DataCloneError')
  if (!buffer.resizable) return buffer.slice(0)
  const copy = new ArrayBuffer(buffer.byteLength, { maxByteLength: buffer.maxByteLength })
  new Uint8Array(copy).set(new Uint8Array(buffer))
  return copy
}

function view(value: ArrayBufferView, inner: (part: unknown) => unknown): object {
  const { byteOffset, byteLength, length } = placeOf(value as Uint8Array)
  const buffer = inner(value.buffer) as ArrayBuffer | Place
  // By what it is, not by the constructor that it says it has.
  const Class = value instanceof DataView ? DataView : (views.find(one => tagOf.call(value) === one.name) as (typeof views)[number])
  const make = (over: ArrayBuffer): object => new Class(over, byteOffset, Class === DataView ? byteLength : length)
  return buffer instanceof Place ? new Place(() => make(buffer.get() as ArrayBuffer)) : make(buffer)
}

/** @throws DOMException for a view that has lost its bytes: its buffer was made smaller */
function placeOf(value: DataView | Uint8Array): { byteOffset: number; byteLength: number; length: number } {
  try {
    // Of a DataView the getters throw, of a typed array only what looks at the elements.
    if (!(value instanceof DataView)) valuesOf.call(value)
    const { byteOffset, byteLength } = value
    return { byteOffset, byteLength, length: (value as Uint8Array).length }
  } catch {
    throw new DOMException('A view lies outside of its ArrayBuffer and could not be cloned.', 'DataCloneError')
  }
}
const valuesOf = Object.getPrototypeOf(Uint8Array.prototype).values as () => unknown

function errorOf(value: Error): Error {
  if (value instanceof DOMException) return new DOMException(value.message, value.name)
  const Class = Object.hasOwn(errors, value.name) ? errors[value.name] : Error
  const message = Object.getOwnPropertyDescriptor(value, 'message')
  return message !== undefined && 'value' in message ? new Class(String(message.value)) : new Class()
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

const { isPrototypeOf } = Object.prototype

/** Objects of the language with more in them than their properties. */
const refused: readonly object[] = [
  Promise.prototype,
  WeakMap.prototype,
  WeakSet.prototype,
  WeakRef.prototype,
  FinalizationRegistry.prototype,
  Symbol.prototype,
  ...[[].values(), new Map().values(), new Set().values(), ''[Symbol.iterator](), 'a'.matchAll(/a/g)].map(one =>
    Object.getPrototypeOf(one),
  ),
  Object.getPrototypeOf(function* () {}.prototype),
]
const refuse = (what: string) => new DOMException(`${what} could not be cloned.`, 'DataCloneError')
