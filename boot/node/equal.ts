/** Structural equality and short texts of values, in plain JavaScript. */

export function equal(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false
  if (a instanceof ArrayBuffer) return equal(new Uint8Array(a), new Uint8Array(b as ArrayBuffer))
  if (a instanceof Map) return equal([...a], [...(b as Map<unknown, unknown>)])
  if (a instanceof Set) return equal([...a], [...(b as Set<unknown>)])
  if (a instanceof Error && (a.name !== (b as Error).name || a.message !== (b as Error).message)) return false
  if (a instanceof Date && a.getTime() !== (b as Date).getTime()) return false
  const keys = Object.keys(a)
  return (
    keys.length === Object.keys(b).length &&
    keys.every(key => Object.hasOwn(b, key) && equal((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]))
  )
}

const longest = 300

export function show(value: unknown): string {
  const text = describe(value, 3)
  return text.length > longest ? `${text.slice(0, longest)}...` : text
}

function describe(value: unknown, depth: number): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'bigint') return `${value}n`
  if (Object.is(value, -0)) return '-0'
  if (typeof value === 'function') return `function ${value.name}`
  if (typeof value !== 'object' || value === null) return String(value)
  if (value instanceof Error) return `${value.name}: ${value.message}`
  if (depth === 0) return '...'
  const inner = (item: unknown) => describe(item, depth - 1)
  if (ArrayBuffer.isView(value) && !(value instanceof DataView))
    return `${value.constructor.name} [${(value as Uint8Array).subarray(0, 64).join(', ')}]`
  if (Array.isArray(value)) return `[${value.slice(0, 64).map(inner).join(', ')}]`
  if (value instanceof Map) return `Map {${[...value].map(([key, item]) => `${inner(key)} => ${inner(item)}`).join(', ')}}`
  if (value instanceof Set) return `Set {${[...value].map(inner).join(', ')}}`
  return `{${Object.entries(value)
    .slice(0, 32)
    .map(([key, item]) => `${key}: ${inner(item)}`)
    .join(', ')}}`
}
