/** Values at every border at which an engine does something else. */
import type { Choices } from './choices.ts'

const numbers = [
  '0', '1', '(-1)', '2', '(-0)', '7', '31', '32', '33', '255', '65535', '1073741823', '1073741824', '2147483647', '(-2147483648)', '2147483648',
  '(-2147483649)', '4294967295', '4294967296', '9007199254740991', '9007199254740992', '0.5', '(-0.5)', '1.5', '0.1', '1e21', '1e300', '5e-324',
  '1.7976931348623157e308', 'NaN', 'Infinity', '(-Infinity)',
] // biome-ignore format: a table
const bigints = [
  '0n',
  '1n',
  '(-1n)',
  '7n',
  '2147483648n',
  '9223372036854775807n',
  '(-9223372036854775808n)',
  '18446744073709551616n',
  '(1n << 70n)',
]
const strings = [
  "''",
  "'a'",
  "'0'",
  "'12'",
  "'-0'",
  "' 7 '",
  "'1e3'",
  "'é'",
  "'€uro'",
  "'\\ud83d\\ude00'",
  "'\\ud800'",
  "'NaN'",
  "'length'",
  "'key'",
  "'abcdefgh'",
]
const others = ['undefined', 'null', 'true', 'false', "Symbol.for('s')", 'Symbol.iterator']

export const number = (choices: Choices): string => choices.of(numbers)
export const small = (choices: Choices): string => `${choices.below(6)}`
export const string = (choices: Choices): string => choices.of(strings)

export const literal = (choices: Choices): string =>
  choices.of([number, number, number, string, string, of(bigints), of(others), of(others)])(choices)

const of =
  (list: readonly string[]) =>
  (choices: Choices): string =>
    choices.of(list)

/** Names of properties: few, so that they meet. */
export const key = (choices: Choices): string => choices.of(['a', 'b', 'c', 'key', 'length', 'x'])
