/** What is sent to all hosts of the link: for who asked for it, and by who asked for it (RFC 919, RFC 1122 section 3.3.6). */
import test from 'ava'
import { pattern } from '../testing/pair.ts'
import { raw } from '../testing/raw.ts'

for (const target of ['255.255.255.255', '10.0.0.255']) {
  test(`a datagram to ${target} is for a receiver who asked for it, and its sender is answered from our address`, async t => {
    const { world, peer, stack } = raw()
    const got: string[] = []
    stack.udp.bind(67, (_bytes, _offset, length, from, port) => {
      got.push(`${length} ${from.peer}:${port}`)
      stack.udp.send(67, from, port, pattern(3))
    })
    const send = async (change?: (datagram: Buffer) => void): Promise<void> => {
      const mac = peer.targetMac.splice(0, 6, 255, 255, 255, 255, 255, 255)
      Object.assign(peer, { target })
      peer.udp(1000, 67, pattern(9), change)
      Object.assign(peer, { target: '10.0.0.2' })
      peer.targetMac.splice(0, 6, ...mac)
      await world.run(5)
    }
    await send()
    t.deepEqual(got, [])
    t.is(stack.counters.udpNoPort, 1)
    const end = stack.udp.receiveBroadcast(67)
    await send()
    t.deepEqual(got, ['9 10.0.0.1:1000'])
    const answer = peer.frames.at(-1)!
    t.deepEqual([...answer.subarray(26, 34)], [10, 0, 0, 2, 10, 0, 0, 1])
    await send(datagram => void (datagram[10] ^= 1))
    t.is(stack.counters.badChecksum, 1)
    await send(datagram => datagram.writeUInt16BE(0, 6)) // no checksum
    t.is(got.length, 2)
    peer.udp(1000, 67, pattern(1)) // to us alone
    await world.run(5)
    t.is(got.length, 3)
    end()
    await send()
    t.is(got.length, 3)
  })
}

test('to all: by a route that is asked for, and not by an address alone', async t => {
  const { world, peer, stack } = raw()
  for (const address of ['255.255.255.255', '10.0.0.255']) {
    peer.frames.length = 0
    t.false(stack.udp.send(68, address, 67, pattern(4)))
    t.throws(() => stack.udp.routeTo(address), { code: 'EHOSTUNREACH' })
    const route = stack.link.broadcastTo(address)!
    t.true(stack.udp.send(68, route, 67, pattern(4)))
    await world.run(5)
    const [frame, ...more] = peer.frames
    t.is(more.length, 0, 'nobody is asked by ARP')
    t.deepEqual([...frame.subarray(0, 6)], Array(6).fill(255))
    t.deepEqual([...frame.subarray(26, 30)], [10, 0, 0, 2])
    t.deepEqual([...frame.subarray(30, 34)], address.split('.').map(Number))
  }
  for (const address of ['10.0.0.1', '10.0.1.255', '224.0.0.1', 'all', '10.0.0.0']) t.is(stack.link.broadcastTo(address), undefined)
  const old = stack.link.broadcastTo('255.255.255.255')!
  stack.configure(undefined)
  t.false(stack.udp.send(68, old, 67, pattern(4)))
  t.is(stack.link.broadcastTo('255.255.255.255'), undefined)
})

test('links of one and of two have no address for all but the limited one', t => {
  for (const prefix of [31, 32]) {
    const { stack } = raw({ address: '10.0.0.2', prefix, gateway: '10.0.0.3' })
    t.is(stack.link.broadcastTo('10.0.0.3'), undefined)
    t.is(stack.link.broadcastTo('10.0.0.2'), undefined)
    t.not(stack.link.broadcastTo('255.255.255.255'), undefined)
  }
})
