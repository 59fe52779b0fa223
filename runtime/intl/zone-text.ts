/** Names of time zones in English (US). CLDR has short ones for those of the United States, and for others their offset. */
import type { Zone } from './zone.ts'

/** Short names: standard and summer time. */
const american: Readonly<Record<string, string>> = {
  'America/New_York': 'Eastern E',
  'America/Detroit': 'Eastern E',
  'America/Toronto': 'Eastern E',
  'America/Chicago': 'Central C',
  'America/Winnipeg': 'Central C',
  'America/Denver': 'Mountain M',
  'America/Phoenix': 'Mountain M',
  'America/Edmonton': 'Mountain M',
  'America/Los_Angeles': 'Pacific P',
  'America/Vancouver': 'Pacific P',
  'America/Tijuana': 'Pacific P',
  'America/Anchorage': 'Alaska AK',
}

/** By where they begin: long names of standard time, and of summer time where it is not that with the other word. */
const longNames: readonly (readonly [RegExp, string, string?])[] = [
  [
    /^Europe\/(?:Amsterdam|Andorra|Belgrade|Berlin|Bratislava|Brussels|Budapest|Copenhagen|Ljubljana|Luxembourg|Madrid|Malta|Monaco|Oslo|Paris|Prague|Rome|Sarajevo|Skopje|Stockholm|Tirane|Vaduz|Vienna|Warsaw|Zagreb|Zurich)$/,
    'Central European Standard Time',
    'Central European Summer Time',
  ],
  [
    /^Europe\/(?:Athens|Bucharest|Chisinau|Helsinki|Kyiv|Kiev|Mariehamn|Riga|Sofia|Tallinn|Vilnius)$/,
    'Eastern European Standard Time',
    'Eastern European Summer Time',
  ],
  [/^Europe\/Lisbon$/, 'Western European Standard Time', 'Western European Summer Time'],
  [/^Europe\/London$/, 'Greenwich Mean Time', 'British Summer Time'],
  [/^Europe\/Dublin$/, 'Greenwich Mean Time', 'Irish Standard Time'],
  [/^Europe\/Moscow$/, 'Moscow Standard Time'],
  [/^Asia\/Tokyo$/, 'Japan Standard Time'],
  [/^Asia\/(?:Shanghai|Macau)$/, 'China Standard Time'],
  [/^Asia\/(?:Kolkata|Calcutta)$/, 'India Standard Time'],
  [/^Asia\/Singapore$/, 'Singapore Standard Time'],
  [/^Australia\/(?:Sydney|Melbourne|Hobart|Brisbane)$/, 'Australian Eastern Standard Time', 'Australian Eastern Daylight Time'],
  [/^America\/Sao_Paulo$/, 'Brasilia Standard Time'],
]

/** @throws RangeError for generic names */
export function zoneText(zone: Zone, time: number, style: string): string {
  if (style.endsWith('Generic'))
    throw new RangeError(`Intl: timeZoneName ${style} is not there in xen-ts: take short, long, shortOffset or longOffset`)
  const isUtc = zone.name === 'UTC'
  if (style.endsWith('Offset'))
    return isUtc ? (style === 'longOffset' ? 'GMT+00:00' : 'GMT+0') : offsetText(zone.offset(time), style === 'longOffset')
  if (isUtc) return style === 'short' ? 'UTC' : 'Coordinated Universal Time'
  const isSummer = zone.isSummer(time)
  const [long, letters] = Object.hasOwn(american, zone.name) ? american[zone.name].split(' ') : []
  if (style === 'short') {
    if (zone.name === 'Pacific/Honolulu') return 'HST'
    return letters === undefined ? offsetText(zone.offset(time), false) : `${letters}${isSummer ? 'D' : 'S'}T`
  }
  if (long !== undefined) return `${long} ${isSummer ? 'Daylight' : 'Standard'} Time`
  const [, standard, summer = standard] = longNames.find(([pattern]) => pattern.test(zone.name)) ?? []
  return (isSummer ? summer : standard) ?? offsetText(zone.offset(time), true)
}

/** `GMT`, `GMT+1`, `GMT+05:30`. */
function offsetText(offset: number, isLong: boolean): string {
  if (offset === 0) return 'GMT'
  const [hours, minutes] = [Math.floor(Math.abs(offset) / 60), Math.abs(offset) % 60]
  const two = (value: number) => String(value).padStart(2, '0')
  return `GMT${offset < 0 ? '-' : '+'}${isLong ? two(hours) : hours}${isLong || minutes > 0 ? `:${two(minutes)}` : ''}`
}
