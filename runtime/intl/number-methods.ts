/** The method of Number and BigInt that takes a locale (ECMA-402 19.2, 19.3): linked where a program calls it. */
import type { Locales } from './locale.ts'
import { NumberFormat } from './number.ts'
import { put } from './put.ts'

for (const prototype of [Number.prototype, BigInt.prototype])
  put(prototype, 'toLocaleString', function (this: number | bigint, locales?: Locales, options?: unknown) {
    return new NumberFormat(locales, options).format(this.valueOf() as number)
  })
