/** How many digits are shown: ECMA-402 16.1.2 (SetNumberFormatDigitOptions), and rounding to them. */
import { type Decimal, plain, type Rounding, roundFraction, roundings, roundSignificant } from './decimal.ts'
import { whole, word } from './locale.ts'

export interface Digits {
  readonly minimumIntegerDigits: number
  readonly minimumFractionDigits?: number
  readonly maximumFractionDigits?: number
  readonly minimumSignificantDigits?: number
  readonly maximumSignificantDigits?: number
  readonly roundingMode: Rounding
  readonly trailingZeroDisplay: 'auto' | 'stripIfInteger'
  /** Two significant digits, or whole numbers where these are more. */
  readonly compact: boolean
}

/** @param least digits behind the point unless options say otherwise */
export function digitsOf(options: any, least: number, most: number, isCompact: boolean): Digits {
  const minimumIntegerDigits = whole(options, 'minimumIntegerDigits', 1, 21) ?? 1
  const leastFraction = whole(options, 'minimumFractionDigits', 0, 100)
  const mostFraction = whole(options, 'maximumFractionDigits', 0, 100)
  const leastSignificant = whole(options, 'minimumSignificantDigits', 1, 21)
  const mostSignificant = whole(options, 'maximumSignificantDigits', leastSignificant ?? 1, 21)
  const roundingMode = word(options, 'roundingMode', roundings, 'halfExpand')
  const trailingZeroDisplay = word(options, 'trailingZeroDisplay', ['auto', 'stripIfInteger'], 'auto')
  word(options, 'roundingPriority', ['auto'])
  if (options.roundingIncrement !== undefined && Number(options.roundingIncrement) !== 1)
    throw new RangeError('Intl: roundingIncrement other than 1 is not there in xen-ts: round the number before')
  const common = { minimumIntegerDigits, roundingMode, trailingZeroDisplay }
  if (leastSignificant !== undefined || mostSignificant !== undefined)
    return {
      ...common,
      minimumSignificantDigits: leastSignificant ?? 1,
      maximumSignificantDigits: mostSignificant ?? 21,
      compact: false,
    }
  const isGiven = leastFraction !== undefined || mostFraction !== undefined
  if (isCompact && !isGiven) return { ...common, minimumFractionDigits: 0, maximumFractionDigits: 0, compact: true }
  const minimumFractionDigits = leastFraction ?? Math.min(least, mostFraction ?? least)
  const maximumFractionDigits = mostFraction ?? Math.max(most, minimumFractionDigits)
  if (minimumFractionDigits > maximumFractionDigits)
    throw new RangeError(
      `Intl: maximumFractionDigits ${maximumFractionDigits} is less than minimumFractionDigits ${minimumFractionDigits}: exchange them`,
    )
  return { ...common, minimumFractionDigits, maximumFractionDigits, compact: false }
}

export function rounded(value: Decimal, digits: Digits): Decimal {
  const { roundingMode, maximumFractionDigits, maximumSignificantDigits, compact } = digits
  if (maximumSignificantDigits !== undefined) return roundSignificant(value, maximumSignificantDigits, roundingMode)
  if (compact && value.exponent < 2) return roundSignificant(value, 2, roundingMode)
  return roundFraction(value, maximumFractionDigits!, roundingMode)
}

/** Digits of a rounded number before and behind the point. */
export function shown(value: Decimal, digits: Digits): [whole: string, fraction: string] {
  const { minimumSignificantDigits: least } = digits
  // 0 has one significant digit before the point.
  const leastFraction =
    least === undefined ? digits.minimumFractionDigits! : Math.max(0, least - (value.digits === '' ? 1 : value.exponent))
  const [before, behind] = plain(value, digits.minimumIntegerDigits, leastFraction)
  return [before, digits.trailingZeroDisplay === 'stripIfInteger' && /^0*$/.test(behind) ? '' : behind]
}
