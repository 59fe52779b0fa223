import test from 'ava'
import fc from 'fast-check'
import { orderDestinations } from './order.ts'

/** A host with these addresses: each family from the first that fits. */
const host =
  (...own: string[]) =>
  (address: string): string | undefined => {
    const candidates = own.filter(each => each.includes(':') === address.includes(':') && /^fe80/.test(each) === /^fe80/.test(address))
    return candidates[0]
  }

test('the examples of RFC 6724 section 10.2 that concern a host like ours', t => {
  const cases: [string[], string[], string[]][] = [
    [
      ['2001:db8:1::1', 'fe80::1', '169.254.13.78'],
      ['198.51.100.121', '2001:db8:1::2'],
      ['2001:db8:1::2', '198.51.100.121'],
    ],
    [
      ['fe80::1', '198.51.100.117'],
      ['2001:db8:1::1', '198.51.100.121'],
      ['198.51.100.121', '2001:db8:1::1'],
    ],
    [
      ['2001:db8:1::2', 'fe80::1', '10.1.2.4'],
      ['10.1.2.3', '2001:db8:1::1'],
      ['2001:db8:1::1', '10.1.2.3'],
    ],
    [
      ['2001:db8:1::2', 'fe80::2'],
      ['2001:db8:1::1', 'fe80::1'],
      ['fe80::1', '2001:db8:1::1'],
    ],
  ]
  for (const [own, given, order] of cases) t.deepEqual(orderDestinations(given, host(...own)), order)
})

test('in Qubes, where addresses of IPv6 are private, the world is reached by IPv4 first, and other qubes by either', t => {
  const qube = host('10.137.0.16', 'fd09:24ef:4179::a89:10')
  t.deepEqual(orderDestinations(['2606:4700::1', '1.1.1.1'], qube), ['1.1.1.1', '2606:4700::1'])
  t.deepEqual(orderDestinations(['fd09:24ef:4179::a89:1', '10.137.0.1'], qube), ['10.137.0.1', 'fd09:24ef:4179::a89:1'])
})

test('what there is no way to comes last; the order of the answer stays otherwise, and of IPv4 always', t => {
  t.deepEqual(orderDestinations(['2001:db8::1', '1.1.1.1', '2.2.2.2'], host('10.0.0.1')), ['1.1.1.1', '2.2.2.2', '2001:db8::1'])
  t.deepEqual(orderDestinations(['9.9.9.9', '10.0.0.2', '1.1.1.1'], host('10.0.0.1')), ['9.9.9.9', '10.0.0.2', '1.1.1.1'])
  t.deepEqual(orderDestinations(['2a00::1', '2001:db8::9'], host('2001:db8::1')), ['2001:db8::9', '2a00::1'])
  t.deepEqual(orderDestinations(['2002:a00::1', '2a00::1'], host('2a00::2')), ['2a00::1', '2002:a00::1'])
  t.deepEqual(orderDestinations([], host()), [])
})

test('an order is one: none is lost, and what is in order stays so', t => {
  const address = fc.oneof(
    fc.ipV4(),
    fc.constantFrom('fe80::1', 'fd00::1', '2001:db8::1', '2002::1', '2a00::1', 'fec0::1', '2001::1', '::1'),
  )
  fc.assert(
    fc.property(fc.uniqueArray(address, { maxLength: 8 }), fc.uniqueArray(address, { maxLength: 4 }), (addresses, own) => {
      const once = orderDestinations(addresses, host(...own))
      t.deepEqual([...once].sort(), [...addresses].sort())
      t.deepEqual(orderDestinations(once, host(...own)), once)
    }),
  )
})
