/** For cases: bytes as text, and what went wrong by its name. */

export const text = (characters: string): Uint8Array => new TextEncoder().encode(characters)

export const hexOf = (bytes: ArrayBuffer | Uint8Array): string =>
  Array.from(new Uint8Array(bytes), byte => byte.toString(16).padStart(2, '0')).join('')

export const fromHex = (digits: string): Uint8Array => Uint8Array.from(digits.match(/../g) ?? [], byte => Number.parseInt(byte, 16))

/** Of each, what it gave (a key says what it is), or the name of the error. */
export async function each(...runs: readonly (() => unknown)[]): Promise<unknown[]> {
  const all: unknown[] = []
  for (const run of runs) {
    try {
      all.push(shown(await run()))
    } catch (error) {
      all.push((error as Error).name)
    }
  }
  return all
}

/** Something that JSON can carry. */
export function shown(value: any): unknown {
  if (value instanceof ArrayBuffer || value instanceof Uint8Array) return hexOf(value)
  if (value?.[Symbol.toStringTag] === 'CryptoKey') {
    const { type, extractable, algorithm, usages } = value
    return { type, extractable, algorithm: { ...algorithm, publicExponent: undefined, hash: algorithm.hash?.name }, usages: [...usages] }
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return Object.fromEntries(
      Object.keys(value)
        .sort()
        .map(key => [key, shown(value[key])]),
    )
  return value
}
