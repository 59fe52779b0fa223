/** The same with our Intl and with Node's, which is ICU's: each scenario gives what JSON can carry, or throws. */
import type { Scenarios } from '../web/testing.ts'

const numbers = [
  Date.UTC(2001, 0, 3),
  -0,
  1,
  -1,
  0.5,
  1.005,
  1234.5,
  999_999,
  1e6,
  1_500_000,
  12_345.678,
  0.000123,
  1e21,
  -1234.567,
  Number.NaN,
  -Infinity,
  99.995,
  21,
  950,
  9999,
]
const numberOptions: readonly object[] = [
  {},
  { style: 'percent' },
  { style: 'percent', maximumFractionDigits: 1, signDisplay: 'always' },
  { style: 'currency', currency: 'USD' },
  { style: 'currency', currency: 'eur' },
  { style: 'currency', currency: 'JPY' },
  { style: 'currency', currency: 'CHF' },
  { style: 'currency', currency: 'CAD', currencyDisplay: 'narrowSymbol' },
  { style: 'currency', currency: 'USD', currencyDisplay: 'code' },
  { style: 'currency', currency: 'EUR', currencyDisplay: 'name' },
  { style: 'currency', currency: 'USD', currencySign: 'accounting' },
  { style: 'currency', currency: 'USD', minimumFractionDigits: 0 },
  { style: 'currency', currency: 'USD', notation: 'compact' },
  { maximumFractionDigits: 0 },
  { minimumFractionDigits: 2 },
  { minimumFractionDigits: 1, maximumFractionDigits: 4 },
  { maximumSignificantDigits: 3 },
  { minimumSignificantDigits: 2, maximumSignificantDigits: 5 },
  { useGrouping: false },
  { useGrouping: 'min2' },
  { notation: 'compact' },
  { notation: 'compact', compactDisplay: 'long' },
  { notation: 'scientific' },
  { notation: 'engineering' },
  { signDisplay: 'exceptZero' },
  { signDisplay: 'never' },
  { signDisplay: 'negative' },
  { minimumIntegerDigits: 3 },
  { style: 'unit', unit: 'kilobyte' },
  { style: 'unit', unit: 'day', unitDisplay: 'long' },
  { style: 'unit', unit: 'kilometer-per-hour', unitDisplay: 'narrow' },
  { roundingMode: 'floor' },
  { roundingMode: 'halfEven', maximumFractionDigits: 1 },
  { trailingZeroDisplay: 'stripIfInteger', minimumFractionDigits: 2 },
]
const wrongNumbers: readonly object[] = [
  { style: 'x' },
  { style: 'currency' },
  { style: 'currency', currency: 'EURO' },
  { style: 'unit' },
  { style: 'unit', unit: 'furlong' },
  { maximumFractionDigits: 101 },
  { minimumFractionDigits: 5, maximumFractionDigits: 2 },
]

const times = [
  Date.UTC(2001, 0, 3),
  Date.UTC(2026, 0, 5, 15, 4, 5, 678),
  Date.UTC(2026, 6, 15),
  Date.UTC(2026, 11, 31, 23, 59, 59, 999),
  Date.UTC(2026, 2, 29, 1),
  Date.UTC(2026, 10, 1, 6),
]
const zones = [
  'UTC',
  'Europe/Berlin',
  'america/new_york',
  'Asia/Kolkata',
  'Asia/Tokyo',
  'America/Los_Angeles',
  'Australia/Lord_Howe',
  '+05:30',
  '-0300',
]
const styles = [undefined, 'full', 'long', 'medium', 'short']
const dateOptions: readonly object[] = [
  {},
  { year: 'numeric', month: '2-digit', day: '2-digit' },
  { year: 'numeric', month: 'short', day: 'numeric' },
  { weekday: 'long', year: 'numeric', month: 'long', day: 'numeric' },
  { weekday: 'short', month: 'short', day: 'numeric', hour: 'numeric', minute: '2-digit' },
  { month: 'long', year: 'numeric' },
  { month: 'long', day: 'numeric', hour: 'numeric' },
  { month: 'narrow' },
  { weekday: 'long' },
  { weekday: 'short', hour: 'numeric' },
  { hour: 'numeric' },
  { hour: '2-digit', minute: '2-digit' },
  { hour: '2-digit', minute: '2-digit', hour12: false },
  { hour: 'numeric', minute: 'numeric', second: 'numeric', fractionalSecondDigits: 3, hourCycle: 'h23' },
  { hour: 'numeric', minute: 'numeric', hourCycle: 'h11' },
  { minute: 'numeric', second: 'numeric' },
  { minute: '2-digit' },
  { timeZoneName: 'short' },
  { hour: 'numeric', timeZoneName: 'longOffset' },
  { hour: 'numeric', timeZoneName: 'shortOffset' },
  { year: '2-digit', month: 'numeric', day: 'numeric' },
  { year: 'numeric', month: 'long', day: 'numeric', era: 'short' },
  {
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    era: 'short',
  },
]
const wrongDates: readonly object[] = [
  { timeZone: 'Nowhere/City' },
  { dateStyle: 'full', day: 'numeric' },
  { month: 'x' },
  { fractionalSecondDigits: 4 },
]

const words =
  `a A b B á Ab aB a-b ab1 ab10 ab2 _x z Z ä Äpfel apfel résumé resume Resume 1 10 2 $x #x x! x.y naïve ñ n o é co-op coop ß ss ø œ oe a_b a,b a/b a@b ~ ' a+b`.split(
    ' ',
  )

export const intlScenarios: Scenarios = {
  ...Object.fromEntries(
    numberOptions.flatMap(options => [
      [
        `numbers, ${JSON.stringify(options)}`,
        ({ Intl }) => numbers.map(value => new Intl.NumberFormat('en-US', options).formatToParts(value)),
      ],
      [`resolved, ${JSON.stringify(options)}`, ({ Intl }) => new Intl.NumberFormat('en-US', options).resolvedOptions()],
    ]),
  ),
  ...Object.fromEntries(
    [...wrongNumbers].map(options => [`refused, ${JSON.stringify(options)}`, ({ Intl }) => new Intl.NumberFormat('en', options).format(1)]),
  ),
  ...Object.fromEntries(
    zones.flatMap(timeZone => [
      [
        `styles of dates in ${timeZone}`,
        ({ Intl }) =>
          styles.flatMap(dateStyle =>
            // The long names of zones are not all there.
            styles
              .filter(style => style !== 'full')
              .map(timeStyle =>
                times.map(time => new Intl.DateTimeFormat('en-US', { dateStyle, timeStyle, timeZone }).formatToParts(time)),
              ),
          ),
      ],
      ...dateOptions.map(options => [
        `dates in ${timeZone}, ${JSON.stringify(options)}`,
        ({ Intl }: any) => {
          const format = new Intl.DateTimeFormat('en-US', { ...options, timeZone })
          return times.map(time => format.formatToParts(time))
        },
      ]),
    ]),
  ),
  ...Object.fromEntries(
    wrongDates.map(options => [`refused, ${JSON.stringify(options)}`, ({ Intl }) => new Intl.DateTimeFormat('en', options).format(0)]),
  ),
  'no date': ({ Intl }) => new Intl.DateTimeFormat('en').format(Number.NaN),
  'long names of zones': ({ Intl }) =>
    ['UTC', 'Europe/Berlin', 'America/Chicago', 'Asia/Tokyo', 'Europe/London'].map(timeZone =>
      times.map(time => new Intl.DateTimeFormat('en-US', { timeStyle: 'full', timeZone }).format(time)),
    ),
  'dates as texts': ({ Intl }) =>
    styles.map(timeStyle => new Intl.DateTimeFormat('en-US', { dateStyle: 'short', timeStyle, timeZone: 'UTC' }).format(0)),
  plurals: ({ Intl }) =>
    ['cardinal', 'ordinal'].map(type =>
      [0, 1, 2, 3, 4, 11, 12, 13, 21, 22, 23, 101, 111, 1.5, -1].map(value => new Intl.PluralRules('en', { type }).select(value)),
    ),
  'plurals with digits': ({ Intl }) => new Intl.PluralRules('en', { minimumFractionDigits: 1 }).select(1),
  lists: ({ Intl }) =>
    ['conjunction', 'disjunction', 'unit'].flatMap(type =>
      ['long', 'short', 'narrow'].flatMap(style =>
        ['', 'a', 'ab', 'abc', 'abcd'].map(list => new Intl.ListFormat('en', { type, style }).formatToParts([...list])),
      ),
    ),
  'relative times': ({ Intl }) =>
    ['long', 'short', 'narrow'].flatMap(style =>
      ['always', 'auto'].flatMap(numeric =>
        ['second', 'minutes', 'hour', 'day', 'week', 'month', 'quarter', 'year'].flatMap(unit =>
          [-2, -1, -0, 0, 1, 1.5, 1000].map(value => new Intl.RelativeTimeFormat('en', { style, numeric }).formatToParts(value, unit)),
        ),
      ),
    ),
  ...Object.fromEntries(
    [
      {},
      { sensitivity: 'base' },
      { sensitivity: 'accent' },
      { sensitivity: 'case' },
      { numeric: true },
      { caseFirst: 'upper' },
      { ignorePunctuation: true },
    ].map(options => [
      `order of words, ${JSON.stringify(options)}`,
      ({ Intl }) => {
        const { compare } = new Intl.Collator('en', options)
        return words.map(a => words.map(b => Math.sign(compare(a, b))))
      },
    ]),
  ),
  'canonical locales': ({ Intl }) => Intl.getCanonicalLocales(['EN-us', 'de-latn-de', 'en-U-hc-H23']),
  'a locale that is none': ({ Intl }) => new Intl.NumberFormat('x_y'),
  'supported locales': ({ Intl }) => Intl.PluralRules.supportedLocalesOf(['en-GB', 'en']),
  'without new': ({ Intl }) => [Intl.NumberFormat('en').format(1234.5), Intl.DateTimeFormat('en', { timeZone: 'UTC' }).format(0)],
  'bound functions': ({ Intl }) =>
    ['b', 'a', 'B'].sort(new Intl.Collator('en').compare).concat([1, 1000].map(new Intl.NumberFormat('en').format)),
}
