/** Decimal digits of numbers, and their rounding: of the shortest text that is the number again, as ICU takes them. */

/** 0.`digits` times 10 to the power of `exponent`; no zeros at either end, no digits for 0. */
export interface Decimal {
  readonly negative: boolean
  readonly digits: string
  readonly exponent: number
}

export type Rounding = 'ceil' | 'floor' | 'expand' | 'trunc' | 'halfCeil' | 'halfFloor' | 'halfExpand' | 'halfTrunc' | 'halfEven'

export const roundings: readonly Rounding[] = [
  'ceil',
  'floor',
  'expand',
  'trunc',
  'halfCeil',
  'halfFloor',
  'halfExpand',
  'halfTrunc',
  'halfEven',
]

/** Of a finite number. */
export function decimalOf(value: number | bigint): Decimal {
  const negative = value < 0 || Object.is(value, -0)
  const text = String(typeof value === 'bigint' || !negative ? value : -value).replace(/^-/, '')
  const [mantissa, power = '0'] = text.split('e')
  const [whole, fraction = ''] = mantissa.split('.')
  return trimmed(negative, whole + fraction, whole.length + Number(power))
}

function trimmed(negative: boolean, digits: string, exponent: number): Decimal {
  const zeros = /^0*/.exec(digits)![0].length
  const rest = digits.slice(zeros).replace(/0+$/, '')
  return { negative, digits: rest, exponent: rest === '' ? 0 : exponent - zeros }
}

export const scaled = (value: Decimal, power: number): Decimal => ({ ...value, exponent: value.digits === '' ? 0 : value.exponent + power })

/** With at most this many digits behind the point; negative: before it. */
export const roundFraction = (value: Decimal, most: number, rounding: Rounding): Decimal => cut(value, value.exponent + most, rounding)

export const roundSignificant = (value: Decimal, most: number, rounding: Rounding): Decimal => cut(value, most, rounding)

/** Keeps so many digits. */
function cut(value: Decimal, keep: number, rounding: Rounding): Decimal {
  const { negative, digits, exponent } = value
  if (digits.length <= keep) return value
  // A cut left of the first digit leaves none, or makes one more.
  const kept = keep > 0 ? digits.slice(0, keep) : ''
  const rest = keep >= 0 ? digits.slice(keep) : `0${digits}`
  if (!isUp(kept, rest, negative, rounding)) return trimmed(negative, kept, exponent)
  const more = String(BigInt(kept || '0') + 1n).padStart(kept.length, '0')
  const place = keep > 0 ? exponent : exponent - keep
  return trimmed(negative, more, place + more.length - kept.length)
}

/** Whether what is cut off, not 0, makes the last digit greater. */
function isUp(kept: string, rest: string, negative: boolean, rounding: Rounding): boolean {
  const half = rest[0] === '5' && /^50*$/.test(rest) ? 0 : rest[0] >= '5' ? 1 : -1
  const tie = (up: boolean) => half > 0 || (half === 0 && up)
  switch (rounding) {
    case 'ceil':
      return !negative
    case 'floor':
      return negative
    case 'expand':
      return true
    case 'trunc':
      return false
    case 'halfCeil':
      return tie(!negative)
    case 'halfFloor':
      return tie(negative)
    case 'halfExpand':
      return tie(true)
    case 'halfTrunc':
      return tie(false)
    case 'halfEven':
      return tie(Number(kept.at(-1) ?? 0) % 2 === 1)
  }
}

/** Digits before and behind the point, filled up with zeros. */
export function plain({ digits, exponent }: Decimal, leastWhole: number, leastFraction: number): [whole: string, fraction: string] {
  const whole = exponent > 0 ? digits.slice(0, exponent).padEnd(exponent, '0') : ''
  const fraction = exponent > 0 ? digits.slice(exponent) : digits === '' ? '' : '0'.repeat(-exponent) + digits
  return [whole.padStart(Math.max(leastWhole, 1), '0'), fraction.padEnd(leastFraction, '0')]
}
