/** Intl for English: the parts of ECMA-402 that programs meet first. docs/compatibility.md says what is there. */
import { Collator } from './collator.ts'
import { DateTimeFormat as Dates } from './date.ts'
import { canonicalLocales } from './locale.ts'
import { NumberFormat as Numbers } from './number.ts'
import { ListFormat, PluralRules } from './plural.ts'
import { RelativeTimeFormat } from './relative.ts'
import { zoneNames } from './zone.ts'

/** A constructor that may be called without `new`, as ECMA-402 11.1.1 and 16.1.1 have it. */
function callable<T extends new (...args: any[]) => object>(Class: T): T {
  return new Proxy(Class, { apply: (target, _this, args) => new target(...args) })
}

function supportedValuesOf(key: string): string[] {
  if (key === 'timeZone') return zoneNames().sort()
  if (key === 'calendar') return ['gregory']
  if (key === 'numberingSystem') return ['latn']
  if (key === 'collation') return ['default']
  throw new RangeError(
    `Intl: of ${JSON.stringify(String(key))} xen-ts has no list: it has those of timeZone, calendar, numberingSystem, collation`,
  )
}

export const Intl = {
  Collator: callable(Collator),
  DateTimeFormat: callable(Dates),
  ListFormat,
  NumberFormat: callable(Numbers),
  PluralRules,
  RelativeTimeFormat,
  getCanonicalLocales: canonicalLocales,
  supportedValuesOf,
}
Object.defineProperty(Intl, Symbol.toStringTag, { value: 'Intl', configurable: true })
