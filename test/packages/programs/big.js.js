// decimal numbers
import Big from 'big.js'

export default async say => {
  say([
    new Big('0.1').plus('0.2').toString(),
    new Big(1).div(3).toFixed(8),
    new Big('1.005').round(2).toString(),
    new Big(2).pow(100).toString(),
    new Big(3).cmp(2),
  ])
}
