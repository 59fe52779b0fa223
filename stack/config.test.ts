import test from 'ava'
import { checkConfig, type StackConfig } from './config.ts'
import { formatIpv4, maskBits, parseIpv4, prefixMask } from './wire/ipv4-address.ts'

test('addresses: what is one and what is not', t => {
  t.is(parseIpv4('10.137.0.16'), 0x1000890a)
  t.is(formatIpv4(parseIpv4('255.0.128.7')!), '255.0.128.7')
  for (const text of ['', '1.2.3', '1.2.3.4.5', '256.1.1.1', '01.2.3.4', '1.2.3.4 ', 'a.b.c.d', '1..2.3', '-1.2.3.4'])
    t.is(parseIpv4(text), undefined, text)
})

test('masks and prefixes agree, and a mask with a hole is none', t => {
  for (let bits = 0; bits <= 32; bits++) t.is(maskBits(prefixMask(bits)), bits)
  t.is(formatIpv4(prefixMask(20)), '255.255.240.0')
  t.is(maskBits(parseIpv4('255.0.255.0')!), undefined)
})

test("configurations: Qubes' /32 with a gateway outside is right; each mistake is named", t => {
  t.is(checkConfig({ address: '10.137.0.16', netmask: '255.255.255.255', gateway: '10.137.0.1' }).bits, 32)
  t.is(checkConfig({ address: '10.137.0.16' }).bits, 32)
  const wrong: [Partial<StackConfig>, RegExp][] = [
    [{ address: '10.0.0' }, /address "10\.0\.0" is not an IPv4 address in the stack's configuration: write it as/],
    [{ address: '127.0.0.1' }, /address 127\.0\.0\.1 is reserved/],
    [{ gateway: '10.0.0.2' }, /gateway is 10\.0\.0\.2, the address itself/],
    [{ gateway: '10.0.0.255', prefix: 24 }, /gateway 10\.0\.0\.255 is the broadcast address of its network/],
    [{ address: '10.0.0.0', prefix: 24 }, /address 10\.0\.0\.0 is the address of its network/],
    [{ gateway: 'router' }, /gateway "router"/],
    [{ dns: ['9.9.9.9', '::1'] }, /dns ::1 is reserved/],
    [{ prefix: 33 }, /prefix 33/],
    [{ netmask: '255.0.255.0' }, /netmask "255\.0\.255\.0" is not a mask/],
    [{ netmask: '255.255.255.0', prefix: 23 }, /prefix 23 contradicts netmask 255\.255\.255\.0/],
    [{ routes: [{ to: '10.1.0.0' }] }, /the route to "10\.1\.0\.0" has no network .* write it as \{ to: /],
    [{ routes: [{ to: '10.1.0.0/' }] }, /the route to "10\.1\.0\.0\/" has no network/],
    [{ routes: [{ to: '10.1.0.0/33' }] }, /the route to "10\.1\.0\.0\/33" has no network/],
    [{ routes: [{ to: 'net/8' }] }, /the route to "net\/8" has no network/],
    [{ routes: [{ to: 8 as never }] }, /the route to 8 has no network/],
    [{ routes: [{ to: '10.1.2.3/16' }] }, /the route to 10\.1\.2\.3\/16 begins inside of its network .* write 10\.1\.0\.0\/16/],
    [{ routes: [{ to: '10.1.0.0/16', via: 'router' }] }, /via of the route to 10\.1\.0\.0\/16, "router" is not an IPv4 address/],
    [{ routes: [{ to: '10.1.0.0/16', via: '224.0.0.1' }] }, /via of the route to 10\.1\.0\.0\/16, 224\.0\.0\.1 is reserved/],
    [{ routes: [{ to: '10.1.0.0/16', via: '10.0.0.2' }] }, /the route to 10\.1\.0\.0\/16 goes via 10\.0\.0\.2, the address itself/],
    [{ prefix: 24, routes: [{ to: '10.1.0.0/16', via: '10.0.0.255' }] }, /via of the route to .* 10\.0\.0\.255 is the broadcast address/],
    [{ routes: [{ to: '10.1.0.0/16' }, { to: '10.1.0.0/16', via: '10.0.0.9' }] }, /there are two routes to 10\.1\.0\.0\/16/],
    [{ mtu: 575 }, /mtu 575 is not possible .* 576 to 65535/],
    [{ mtu: 65_536 }, /mtu 65536/],
    [{ mtu: 1000.5 }, /mtu 1000\.5/],
    [{ mtu: '1400' as never }, /mtu 1400/],
  ]
  for (const [config, message] of wrong)
    t.throws(() => checkConfig({ address: '10.0.0.2', ...config }), { name: 'StackConfigError', message })
})
