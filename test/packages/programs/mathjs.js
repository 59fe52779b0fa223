// expressions, units, matrices
import { all, create } from 'mathjs'

export default async say => {
  const math = create(all)
  say([
    math.evaluate('sqrt(3^2 + 4^2)'),
    math.evaluate('12.7 cm to inch').toString(),
    math.format(math.evaluate('[1, 2; 3, 4] * [5; 6]')),
    math.derivative('x^2 + x', 'x').toString(),
  ])
  say(math.bignumber('0.1').plus('0.2').toString())
}
