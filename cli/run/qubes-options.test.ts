import test from 'ava'
import { CliError, describeError } from '../errors.ts'
import { keysOf, vifOf } from './qubes.ts'
import { parseCall, parseKey } from './qubes-options.ts'

test('--qdb takes KEY=VALUE, with or without the leading /, and values with = or nothing in them', t => {
  t.deepEqual(parseKey('/vm-config/greeting=Hi'), ['/vm-config/greeting', 'Hi'])
  t.deepEqual(parseKey('name=a=b'), ['/name', 'a=b'])
  t.deepEqual(parseKey('/qubes-ip='), ['/qubes-ip', ''])
})

for (const [text, why] of [
  ['foo', /must have the form KEY=VALUE/],
  ['=x', /KEY=VALUE/],
  ['/=x', /a key is made of/],
  ['/a/=x', /a key is made of/],
  ['a b=x', /a key is made of/],
  [`/${'a'.repeat(63)}=x`, /at most 63 characters, this one has 64/],
  [`a=${'ü'.repeat(1536)}`, /at most 3071 bytes, this one has 3072/],
] as const) {
  test(`--qdb ${text.slice(0, 20)} is refused`, t => {
    const error = t.throws(() => parseKey(text), { instanceOf: CliError, message: why })
    t.is(describeError(error).split('\n').length, 3)
  })
}

test('--call takes a service, with a user or without', t => {
  t.like(parseCall('my.Service'), { user: 'user', service: 'my.Service' })
  t.like(parseCall('my.Service+a+b'), { user: 'user', service: 'my.Service+a+b' })
  t.like(parseCall('root:qubes.SuspendPre'), { user: 'root', service: 'qubes.SuspendPre' })
})

for (const [text, why] of [
  ['', /must name a service/],
  ['root:', /must name a service/],
  [':my.Service', /'' is not the name of a user/],
  ['my user:x', /'my user' is not/],
  ['ls -l', /a command line is for a shell/],
  ['+argument', /service and argument are made of/],
  ['my.Service+a:b', /service and argument/],
] as const) {
  test(`--call '${text}' is refused`, t => {
    t.throws(() => parseCall(text), { instanceOf: CliError, message: why })
  })
}

test('keys of the command line win; the network device follows them', t => {
  const keys = keysOf('www', {
    keys: new Map([
      ['/qubes-ip', '10.137.0.77'],
      ['/vm-config/a', 'b'],
      ['/type', 'AppVM'],
    ]),
  })
  t.is(keys.get('/name'), 'www')
  t.is(keys.get('/type'), 'AppVM')
  t.is(keys.get('/vm-config/a'), 'b')
  t.deepEqual(vifOf(keys), { ip: '10.137.0.77', gateway: '10.137.0.1', mac: '00:16:3e:5e:6c:00' })
})

test('a qube with the feature ipv6 has a device that leads to both of its addresses', t => {
  const ipv6: [string, string][] = [
    ['/qubes-ip6', 'fd09:24ef:4179::a89:10'],
    ['/qubes-gateway6', 'fe80::fcff:ffff:feff:ffff'],
  ]
  const { ip, ip6, gateway6 } = vifOf(keysOf('www', { keys: new Map(ipv6) }))!
  t.deepEqual([ip, ip6, gateway6], ['10.137.0.16', 'fd09:24ef:4179::a89:10', 'fe80::fcff:ffff:feff:ffff'])
})

test('an empty /qubes-ip is a qube without netvm: no network keys, no device', t => {
  const keys = keysOf('www', { keys: new Map([['/qubes-ip', '']]) })
  t.deepEqual(
    [...keys.keys()].filter(key => /qubes-(ip|gateway|mac|netmask|primary-dns|secondary-dns)$/.test(key)),
    [],
  )
  t.is(vifOf(keys), undefined)
})

for (const [key, value] of [
  ['/qubes-ip', '10.137.0.300'],
  ['/qubes-gateway', ''],
  ['/qubes-mac', '00:16'],
  ['/qubes-ip6', '10.0.0.1'],
  ['/qubes-gateway6', 'fe80'],
]) {
  test(`a device cannot be made of ${key}='${value}'`, t => {
    t.throws(() => vifOf(keysOf('www', { keys: new Map([[key, value]]) })), { instanceOf: CliError, message: /cannot be made/ })
  })
}
