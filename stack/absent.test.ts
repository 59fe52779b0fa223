/** A stack as it is in images whose program neither asks for names nor sends datagrams: modules stand for others there (cli/build/facts.ts). */
import { registerHooks } from 'node:module'
import test from 'ava'

registerHooks({
  resolve(specifier, context, next) {
    const absent = specifier.replace(/(udp\/udp|dns\/of-stack)\.ts$/, path => (path.startsWith('udp') ? 'udp/absent.ts' : 'dns/absent.ts'))
    return next(context.parentURL?.endsWith('/stack/stack.ts') === true ? absent : specifier, context)
  },
})
const { raw } = await import('./testing/raw.ts')

test('who sends a datagram is told that nobody has the port, and wrong ones are counted and not answered', async t => {
  const { world, peer, stack } = raw()
  const answers = () => peer.frames.splice(0).filter(frame => frame[12] === 8 && frame[13] === 0)
  peer.udp(1000, 53, Buffer.from('one'))
  await world.run(10)
  const [answer, ...more] = answers()
  t.deepEqual([answer[23], answer[34], answer[35], more.length], [1, 3, 3, 0]) // ICMP, destination unreachable, port
  t.is(stack.counters.udpNoPort, 1)
  peer.udp(1000, 53, Buffer.from('two'), datagram => {
    datagram[9] ^= 1
  })
  peer.udp(1000, 53, Buffer.from('three'), datagram => {
    datagram.writeUInt16BE(14, 4)
  })
  await world.run(10)
  t.is(answers().length, 0)
  t.deepEqual([stack.counters.badChecksum, stack.counters.malformed, stack.counters.udpNoPort], [1, 1, 1])
})

test('TCP to addresses works, also after a change of the network; a name is refused with the reason', async t => {
  const { world, stack } = raw()
  stack.configure({ address: '10.0.0.3', prefix: 24, dns: ['10.0.0.1'] })
  const connected: string[] = []
  void stack.tcp.listen({ port: 80 }, () => {})
  stack.tcp.connect({ host: '127.0.0.1', port: 80 }).then(
    () => connected.push('yes'),
    error => connected.push(error.message),
  )
  await world.run(100)
  t.deepEqual(connected, ['yes'])
  await t.throwsAsync(stack.resolve('example.org'), { message: /^cannot resolve example\.org: this image has no DNS client, since/ })
  stack.close()
})
