/** Units of Intl.NumberFormat, as English has them: ECMA-402 6.6 lists their names, CLDR their texts. */

/** Name: short, narrow (where it differs), long of one and of others (where it is not with an s). A `_` is a space before it. */
const units: Readonly<Record<string, readonly [short: string, narrow: string, one: string, other?: string]>> = {
  bit: ['_bit', 'bit', 'bit'],
  byte: ['_byte', 'B', 'byte'],
  kilobyte: ['_kB', 'kB', 'kilobyte'],
  megabyte: ['_MB', 'MB', 'megabyte'],
  gigabyte: ['_GB', 'GB', 'gigabyte'],
  terabyte: ['_TB', 'TB', 'terabyte'],
  percent: ['%', '%', 'percent', 'percent'],
  millisecond: ['_ms', 'ms', 'millisecond'],
  second: ['_sec', 's', 'second'],
  minute: ['_min', 'm', 'minute'],
  hour: ['_hr', 'h', 'hour'],
  day: ['_day|_days', 'd', 'day'],
  week: ['_wk|_wks', 'w', 'week'],
  month: ['_mth|_mths', 'm', 'month'],
  year: ['_yr|_yrs', 'y', 'year'],
  meter: ['_m', 'm', 'meter'],
  centimeter: ['_cm', 'cm', 'centimeter'],
  kilometer: ['_km', 'km', 'kilometer'],
  mile: ['_mi', 'mi', 'mile'],
  gram: ['_g', 'g', 'gram'],
  kilogram: ['_kg', 'kg', 'kilogram'],
  liter: ['_L', 'L', 'liter'],
  celsius: ['°C', '°C', 'degree Celsius', 'degrees Celsius'],
  fahrenheit: ['°F', '°', 'degree Fahrenheit', 'degrees Fahrenheit'],
  'kilometer-per-hour': ['_km/h', 'km/h', 'kilometer per hour', 'kilometers per hour'],
  'mile-per-hour': ['_mph', 'mph', 'mile per hour', 'miles per hour'],
}

/** @throws RangeError for a unit that is not there */
export function unitText(unit: string, display: 'short' | 'narrow' | 'long', isOne: boolean): [space: string, text: string] {
  if (!Object.hasOwn(units, unit))
    throw new RangeError(
      `Intl: unit ${JSON.stringify(unit)} is not there in xen-ts, which has ${Object.keys(units).join(', ')}: write it behind the number`,
    )
  const [short, narrow, one, other] = units[unit]
  if (display === 'long') return [' ', isOne ? one : (other ?? `${one}s`)]
  const [ofOne, ofOthers = ofOne] = (display === 'narrow' ? narrow : short).split('|')
  const text = isOne ? ofOne : ofOthers
  return text.startsWith('_') ? [' ', text.slice(1)] : ['', text]
}
