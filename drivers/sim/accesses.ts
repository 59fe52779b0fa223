/**
 * Every single access of drivers to memory that domains share, made known to the simulation. The drivers stay as they are: their loads
 * and stores are seen because the global typed arrays are replaced, for the memory of simulated domains only, by proxies. So this is
 * for test files of their own; nothing here is in the way of the others.
 */
import * as plain from './arrays.ts'
import type { SimulatedDomain } from './domain.ts'

/** What a domain is about to do to memory that others may use as well. */
export interface MemoryAccess {
  readonly domain: SimulatedDomain
  /** `update` reads and writes, atomically; `order` touches nothing: a fence, a notification. */
  readonly kind: 'read' | 'write' | 'update' | 'order'
  /** `load`, `store`, or the function of the ABI. */
  readonly operation: string
  readonly buffer: ArrayBuffer
  /** Of the first byte, in the buffer. */
  readonly offset: number
  readonly length: number
}

export type AccessWatcher = (access: MemoryAccess) => void

type Words = Uint8Array | Uint16Array | Uint32Array

/** Whose memory a buffer is. */
const owners = new WeakMap<object, SimulatedDomain>()
const targets = new WeakMap<object, Words>()
const nowhere = new ArrayBuffer(0)

/** Memory of a domain that others may come to use. */
export const setOwner = (buffer: ArrayBuffer, domain: SimulatedDomain): void => {
  owners.set(buffer, domain)
}

/** The array behind a watched one; any other as it is. */
export const unwatched = <T extends object>(array: T): T => (targets.get(array) as T | undefined) ?? array

export function report(kind: MemoryAccess['kind'], operation: string, bytes: Words, offset: number, length: number): void {
  const buffer = bytes.buffer as ArrayBuffer
  const domain = owners.get(buffer)
  if (domain !== undefined && length > 0) domain.xen.watch({ domain, kind, operation, buffer, offset: bytes.byteOffset + offset, length })
}

export const reportOrder = (domain: SimulatedDomain, operation: string): void =>
  domain.xen.watch({ domain, kind: 'order', operation, buffer: nowhere, offset: 0, length: 0 })

const isIndex = (key: string | symbol): boolean => typeof key === 'string' && key.charCodeAt(0) <= 0x39 && key.charCodeAt(0) >= 0x30

/** Methods that write; all others of a typed array read. */
const writers = new Set<string | symbol>(['fill', 'copyWithin', 'sort', 'reverse'])

const handler: ProxyHandler<Words> = {
  get(array, key) {
    if (isIndex(key)) {
      const index = Number(key)
      if (array.length === 0) throw new Error('simulated page fault: memory is read that was given back')
      if (index < array.length) report('read', 'load', array, index * array.BYTES_PER_ELEMENT, array.BYTES_PER_ELEMENT)
      return array[index]
    }
    const value: unknown = Reflect.get(array, key, array)
    return typeof value === 'function' && key !== 'constructor' ? method(array, key, value as Method) : value
  },
  set(array, key, value) {
    if (!isIndex(key)) return Reflect.set(array, key, value, array)
    const index = Number(key)
    if (array.length === 0) throw new Error('simulated page fault: memory is written that was given back')
    if (index < array.length) report('write', 'store', array, index * array.BYTES_PER_ELEMENT, array.BYTES_PER_ELEMENT)
    array[index] = value
    return true
  },
}

type Method = (...parameters: unknown[]) => unknown

function method(array: Words, key: string | symbol, value: Method): Method {
  if (key === 'subarray') return (...parameters) => watched(value.apply(array, parameters) as Words)
  if (key === 'set') {
    return (source, offset = 0) => {
      const { length } = source as ArrayLike<number>
      const from = targets.get(source as object)
      if (from !== undefined) report('read', 'load', from, 0, from.byteLength)
      report('write', 'store', array, (offset as number) * array.BYTES_PER_ELEMENT, length * array.BYTES_PER_ELEMENT)
      return value.call(array, from ?? source, offset)
    }
  }
  return (...parameters) => {
    report(writers.has(key) ? 'write' : 'read', writers.has(key) ? 'store' : 'load', array, 0, array.byteLength)
    return value.apply(array, parameters)
  }
}

function watched(array: Words): Words {
  const proxy = new Proxy(array, handler)
  targets.set(proxy, array)
  return proxy
}

let installed = false

/** Replaces the global typed arrays. To be called at the top of a test file; there is no way back. */
export function watchMemory(): void {
  if (installed) return
  installed = true
  for (const name of ['Uint8Array', 'Uint16Array', 'Uint32Array'] as const) {
    const proxy: object = new Proxy(plain[name], {
      construct(constructor, parameters: unknown[], newTarget) {
        const array = Reflect.construct(constructor, parameters, newTarget === proxy ? constructor : newTarget) as Words
        return owners.has(parameters[0] as object) ? watched(array) : array
      },
    })
    Object.assign(globalThis, { [name]: proxy })
  }
}
