// arithmetic of any precision
import { Decimal } from 'decimal.js'

export default async say => {
  Decimal.set({ precision: 40 })
  say([
    new Decimal('0.1').plus('0.2').toString(),
    new Decimal(2).sqrt().toString(),
    Decimal.exp(1).toFixed(20),
    new Decimal('1e1000').times(3).toString(),
  ])
  say([new Decimal(10).div(3).toDecimalPlaces(5).toString(), new Decimal(255).toHexadecimal(), Decimal.sin(1).toString()])
}
