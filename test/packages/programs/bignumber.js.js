// decimal numbers, formats, bases
import { BigNumber } from 'bignumber.js'

export default async say => {
  say([
    new BigNumber('123456789.125').toFormat(2),
    new BigNumber(255).toString(16),
    new BigNumber('0.7').times(3).toString(),
    new BigNumber('ff', 16).toString(),
    new BigNumber(2).sqrt().toFixed(10),
  ])
}
