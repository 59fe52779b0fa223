/** Somebody else has our address (RFC 5227 section 2.4). */
import test from 'ava'
import { raw } from '../testing/raw.ts'

const ANNOUNCEMENT = 'ffffffffffff00163e5e6c00' + '080600010800060400010' + '0163e5e6c000a000002' + '000000000000' + '0a000002'
const own = [10, 0, 0, 2]

test('is told that it is ours, at most every 10 s, and the log says who it is, at most every minute', async t => {
  const { world, peer, stack } = raw()
  const lines = (): string[] => world.logLines.filter(line => line.includes('02:00:00:00:00:99'))
  const claim = async (): Promise<string[]> => {
    peer.frames.length = 0
    peer.arp(1, { senderIp: own, targetIp: own })
    await world.run(5)
    return peer.frames.map(frame => frame.subarray(0, 42).toString('hex'))
  }
  world.at(200_000, () => {}) // or there is nothing to run for
  t.deepEqual(await claim(), [ANNOUNCEMENT])
  t.is(lines().length, 1)
  t.regex(lines()[0], /WRN \[stack:arp\] 10\.0\.0\.2 is also used by 02:00:00:00:00:99: give one of the two another address/)
  for (let i = 0; i < 100; i++) t.deepEqual(await claim(), [])
  await world.run(9_400)
  t.deepEqual(await claim(), [])
  await world.run(200)
  t.deepEqual(await claim(), [ANNOUNCEMENT])
  t.is(lines().length, 1)
  await world.run(60_000)
  t.deepEqual(await claim(), [ANNOUNCEMENT])
  t.is(lines().length, 2)
  t.regex(lines()[1], /seen 104 times/)
  t.is(stack.counters.arpConflicts, 104)
})

test('by answers too; probes for it are answered as ever, and neither our own frames nor those of others count', async t => {
  const { world, peer, stack } = raw()
  peer.arp(2, { senderIp: own })
  await world.run(5)
  t.is(peer.frames.splice(0).length, 1)
  peer.arp(1, { senderIp: [0, 0, 0, 0] })
  await world.run(5)
  t.is(peer.frames.splice(0).length, 1)
  peer.arp(1, { senderIp: own, senderMac: peer.targetMac })
  peer.arp(1, { senderIp: [10, 0, 0, 7], targetIp: [10, 0, 0, 9] })
  await world.run(5)
  t.is(stack.counters.arpConflicts, 1)
})

test('without an address nothing is defended; a new one is, at once', async t => {
  const { world, peer, stack } = raw()
  peer.arp(1, { senderIp: own, targetIp: own })
  await world.run(5)
  stack.configure(undefined)
  peer.frames.length = 0
  peer.arp(1, { senderIp: own, targetIp: own })
  peer.arp(1, { senderIp: [0, 0, 0, 0], targetIp: [0, 0, 0, 0] })
  await world.run(5)
  t.is(peer.frames.length, 0)
  stack.configure({ address: '10.0.0.3', prefix: 24 })
  await world.run(5)
  peer.frames.length = 0
  peer.arp(1, { senderIp: [10, 0, 0, 3], targetIp: [10, 0, 0, 3] })
  await world.run(5)
  t.is(peer.frames.length, 1)
  t.is(stack.counters.arpConflicts, 2)
})
