// Echoes on port 7, and says what becomes of its network and of its connections.
import { once, stack, unikernel } from 'xen-ts'

export default unikernel({
  name: 'netvm',
  devices: { net: stack() },
  async start({ net, log, signal }) {
    log.info(`the address is ${net.address}`)
    net.watch(address => log.info(`the address is ${address} now`))
    void net.tcp.listen({ port: 7, signal }, async connection => {
      log.info(`connected to ${connection.remoteAddress}`)
      try {
        for (let bytes; (bytes = await connection.read()) !== undefined; ) await connection.write(bytes)
        connection.end()
        log.info('the peer has ended')
      } catch (error) {
        log.info(`lost: ${(error as { code?: string }).code} ${(error as Error).message}`)
      }
    })
    await once(signal)
  },
})
