/** String.prototype.localeCompare (ECMA-402 19.1.1): linked where a program calls it. */
import { Collator } from './collator.ts'
import { put } from './put.ts'

const usual = new Collator()

put(String.prototype, 'localeCompare', function (this: string, that: string, locales?: string, options?: unknown) {
  const collator = locales === undefined && options === undefined ? usual : new Collator(locales, options)
  return collator.compare(String(this), String(that))
})
