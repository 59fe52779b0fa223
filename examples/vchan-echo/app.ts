/**
 * Sends back what arrives on a vchan, for one peer after the other, as its server or its client. To hear the echo:
 *
 *     npx xen-ts build examples/vchan-echo
 *     npx xen-ts run vchan-echo.xen --exit --dom0 'vchan-load client $DOMID 5000 say "hello from dom0"'
 *     npx xen-ts run vchan-echo.xen --exit --dom0 'vchan-load server $DOMID 5000 say "hello from dom0"' -- role=client
 */
import { type ByteChannel, vchan } from '@xen-ts/drivers'
import { arg, unikernel } from 'xen-ts'

const size = { min: 1, max: 1 << 20, integer: true }

export default unikernel({
  name: 'vchan-echo',
  args: {
    role: arg.choice(['server', 'client'], { default: 'server', doc: 'which end of the vchan this is' }),
    peer: arg.number({ default: 0, min: 0, max: 0x7fef, integer: true, doc: 'the domain at the other end' }),
    port: arg.number({ default: 5000, min: 0, max: 0x7fffffff, integer: true, doc: 'port of the vchan' }),
    readSize: arg.number({ default: 65536, ...size, doc: 'as a server: least size in bytes of the ring from the peer' }),
    writeSize: arg.number({ default: 65536, ...size, doc: 'as a server: least size in bytes of the ring to the peer' }),
  },
  devices: { vchan: vchan() },
  async start({ vchan, args: { role, peer, port, readSize, writeSize }, log, signal }) {
    for (let count = 1; !signal.aborted; count++) {
      log.info(`${role} of port ${port}, waiting for domain ${peer}`)
      const channel =
        role === 'server' ? await vchan.serve(peer, port, { readSize, writeSize, signal }) : await vchan.connect(peer, port, { signal })
      log.info(`connected ${count}`)
      signal.addEventListener('abort', () => channel.close(), { once: true })
      const bytes = await echo(channel)
      channel.close()
      log.info(`ended ${count}: ${bytes} bytes`)
    }
  },
})

/** Until the peer has closed, with or without taking what was under way. Gives the number of bytes that arrived. */
async function echo(channel: ByteChannel): Promise<number> {
  let bytes = 0
  try {
    for (let arrived; (arrived = await channel.read()) !== undefined; bytes += arrived.length) await channel.write(arrived)
  } catch (error) {
    if ((error as Error).name !== 'ChannelClosedError') throw error
  }
  return bytes
}
