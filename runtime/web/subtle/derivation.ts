/** Keys that only others are derived from: those of HKDF and PBKDF2. Nobody gets them back. */
import type { Algorithm } from './algorithms.ts'
import type { Bytes } from './bytes.ts'
import { badUsages, failed } from './errors.ts'
import { checkUsages, makeKey } from './key.ts'
import { noFormat } from './secret.ts'

export const derivation = (name: string, deriveBits: NonNullable<Algorithm['deriveBits']>): Algorithm => ({
  name,
  deriveBits,
  importKey: () => (format, data, extractable, usages) => {
    if (format !== 'raw') throw noFormat(name, format)
    checkUsages(usages, ['deriveKey', 'deriveBits'], `a key of ${name}`)
    if (extractable) throw badUsages(`a key of ${name} cannot be extractable`)
    return makeKey({ type: 'secret', extractable, algorithm: { name }, usages, material: data as Bytes })
  },
  keyLength: () => () => null,
})

/** How many bytes are to be derived. */
export function wholeBytes(name: string, length: number | null): number {
  if (length === null || length % 8 !== 0) throw failed(`${name}: length must be a multiple of 8 bits, not ${length}`)
  return length / 8
}
