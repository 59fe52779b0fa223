import { runs } from '@xen-ts/boot/fuzz'
import test from 'ava'
import fc from 'fast-check'
import { parseDecimal, parseMac } from './parse.ts'

test('a decimal is digits only, and not above its maximum', t => {
  t.is(parseDecimal('0', 10), 0)
  t.is(parseDecimal('4294967295', 0xffffffff), 0xffffffff)
  t.is(parseDecimal('007', 10), 7)
  for (const bad of [undefined, '', ' 1', '1 ', '-1', '+1', '1.5', '1e3', '0x10', '11', '99999999999', '1\n', 'one', '１'])
    t.is(parseDecimal(bad, 10), undefined)
  fc.assert(
    fc.property(fc.string(), text => {
      const value = parseDecimal(text, 1000)
      return value === undefined || (Number.isInteger(value) && value >= 0 && value <= 1000)
    }),
    runs(),
  )
})

test('a MAC address is six bytes of a single device', t => {
  t.deepEqual(parseMac('00:16:3e:5E:6c:00'), Uint8Array.of(0, 0x16, 0x3e, 0x5e, 0x6c, 0))
  for (const bad of [
    undefined,
    '',
    '00:16:3e:5e:6c',
    '00:16:3e:5e:6c:00:11',
    '0:16:3e:5e:6c:00',
    '01:16:3e:5e:6c:00',
    'ff:ff:ff:ff:ff:ff',
    '00-16-3e-5e-6c-00',
    '00:16:3e:5e:6c:0g',
  ]) {
    t.is(parseMac(bad), undefined)
  }
})
