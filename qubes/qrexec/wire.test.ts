import { runs } from '@xen-ts/boot/fuzz'
import { testMachine } from '@xen-ts/rig/dom0'
import test from 'ava'
import fc from 'fast-check'
import { Text } from '../text.ts'
import { parseCommand } from './command.ts'
import { encodeNumbers, encodeTrigger, HELLO } from './wire.ts'

test('golden bytes of the wire', t => {
  const abi = new Text(testMachine().abi)
  t.is(Buffer.from(encodeNumbers(HELLO, 3)).toString('hex'), '000300000400000003000000')
  t.is(Buffer.from(encodeNumbers(0x211, 0, 513)).toString('hex'), '11020000080000000000000001020000')
  const trigger = Buffer.from(encodeTrigger(abi, 3, 'dom0', 'a+b', 'id'))
  t.is(trigger.toString('hex'), `120200006400000064${Buffer.from('om0').toString('hex')}${'00'.repeat(60)}6964${'00'.repeat(30)}612b6200`)
  const old = Buffer.from(encodeTrigger(abi, 2, 'dom0', 'a+b', 'id'))
  t.is(
    old.toString('hex'),
    `1002000080000000612b62${'00'.repeat(61)}64${Buffer.from('om0').toString('hex')}${'00'.repeat(28)}6964${'00'.repeat(30)}`,
  )
})

test('command lines', t => {
  t.deepEqual(parseCommand('user:QUBESRPC a.B+c+d work'), { user: 'user', service: 'a.B', argument: 'c+d', source: 'work' })
  t.deepEqual(parseCommand('root:nogui:QUBESRPC a.B+ @adminvm name dom0'), {
    user: 'root',
    service: 'a.B',
    argument: '',
    source: '@adminvm',
  })
  t.deepEqual(parseCommand('user:echo a:b'), { user: 'user', service: undefined, argument: '', source: '' })
  for (const line of ['', ':', 'user', ':x', 'u:QUBESRPC  ', 'u:QUBESRPC +a b', 'u:QUBESRPC a', 'u:QUBESRPC a \x1b[2J'])
    t.is(parseCommand(line), undefined, line)
  fc.assert(
    fc.property(fc.string(), line => {
      parseCommand(line)
    }),
    runs(),
  )
})
