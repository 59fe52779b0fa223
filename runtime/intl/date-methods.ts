/** The methods of Date that take a locale (ECMA-402 19.4): linked where a program calls one. */
import { DateTimeFormat, type Kind } from './date.ts'
import type { Locales } from './locale.ts'
import { put } from './put.ts'

const method = (required: Kind | 'any', defaults: Kind) =>
  function (this: Date, locales?: Locales, options?: unknown): string {
    const time = this.getTime()
    return Number.isNaN(time) ? 'Invalid Date' : new DateTimeFormat(locales, options, required, defaults).format(time)
  }

put(Date.prototype, 'toLocaleString', method('any', 'all'))
put(Date.prototype, 'toLocaleDateString', method('date', 'date'))
put(Date.prototype, 'toLocaleTimeString', method('time', 'time'))
