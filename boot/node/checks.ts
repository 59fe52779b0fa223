/** The kernel's checks of what a function of the ABI is given, and their texts (boot/kernel/abi.c). */
export const u32Max = 0xffffffff

/** Throws a RangeError unless `value` is a whole number from 0 to `most`. */
export function checkWhole(fn: string, name: string, value: number, most: number): void {
  if (Number.isInteger(value) && value >= 0 && value <= most) return
  const shown = Number.isInteger(value) && Math.abs(value) < 1e15 ? value : 'not a whole number'
  throw new RangeError(`${fn}: ${name} is ${shown}; it must be a whole number from 0 to ${most}`)
}

/** Throws a RangeError unless [offset, offset + length) lies inside of `bytes`, aligned to `align` in memory. */
export function checkRange(fn: string, bytes: Uint8Array, offset: number, length: number, align = 1): void {
  checkWhole(fn, 'offset', offset, u32Max)
  if (offset + length > bytes.length)
    throw new RangeError(`${fn}: offset ${offset}, length ${length} is outside of an array of ${bytes.length} bytes`)
  if ((bytes.byteOffset + offset) % align !== 0) throw new RangeError(`${fn}: offset ${offset} is not aligned to ${align} bytes`)
}
