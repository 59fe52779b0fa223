/** Intl.DateTimeFormat for English (US): ECMA-402 11, with the patterns of CLDR. */
import { type Components, componentsOf, resolvedComponents } from './date-options.ts'
import { partsOf } from './date-parts.ts'
import { extension, type Locales, optionsOf, type Part, supportedLocales, takenLocale, textOf } from './locale.ts'
import { type Zone, zoneOf } from './zone.ts'

/** Which components a call must have, and which it gets when it has none: of ECMA-402 11.1.2. */
export type Kind = 'date' | 'time' | 'all'

export class DateTimeFormat {
  readonly #locale: string
  readonly #zone: Zone
  readonly #components: Components
  #bound: ((date?: Date | number) => string) | undefined

  constructor(locales?: Locales, given?: unknown, required: Kind | 'any' = 'any', defaults: Kind = 'date') {
    this.#locale = takenLocale(locales)
    const options = optionsOf(given)
    this.#components = componentsOf(options, required, defaults, extension(locales, 'hc'))
    const name = options.timeZone === undefined ? localZone() : String(options.timeZone)
    const zone = zoneOf(name)
    if (zone === undefined)
      throw new RangeError(
        `Intl: time zone ${JSON.stringify(name)} is not known: it must be a name such as Europe/Berlin, UTC, or an offset such as +01:00`,
      )
    this.#zone = zone
  }

  get format(): (date?: Date | number) => string {
    // Between time and AM stands a narrow space, which ICU's users take for a space in texts, though not in parts.
    this.#bound ??= date => textOf(this.formatToParts(date)).replaceAll('\u202f', ' ')
    return this.#bound
  }

  formatToParts(date?: Date | number): Part[] {
    return partsOf(timeOf(date), this.#zone, this.#components)
  }

  resolvedOptions(): Record<string, unknown> {
    return {
      locale: this.#locale,
      calendar: 'gregory',
      numberingSystem: 'latn',
      timeZone: this.#zone.name,
      ...resolvedComponents(this.#components),
    }
  }

  static supportedLocalesOf(locales?: Locales): string[] {
    return supportedLocales(locales)
  }

  get [Symbol.toStringTag](): string {
    return 'Intl.DateTimeFormat'
  }
}

function timeOf(date: Date | number | undefined): number {
  const time = date === undefined ? Date.now() : Number(date)
  if (!Number.isFinite(time) || Math.abs(time) > 8.64e15) throw new RangeError('Intl: the date is not valid')
  return Math.trunc(time)
}

/** The time zone of the machine, as a target says it: a qube's is dom0's. */
function localZone(): string {
  const name = (globalThis as any)[Symbol.for('xen-ts.timeZone')]?.()
  return typeof name === 'string' && zoneOf(name) !== undefined ? name : 'UTC'
}
