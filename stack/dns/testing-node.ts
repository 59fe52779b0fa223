/** For tests: Node's sockets as the DNS client's transport. */
import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import type { DnsTransport } from './transport.ts'

export const nodeTransport: DnsTransport = {
  open(server) {
    const inner = createSocket(server.includes(':') ? 'udp6' : 'udp4')
    inner.bind(0) // a random port
    inner.on('message', (bytes, { address, port }) => socket.onReceive?.(bytes, address, port))
    inner.on('error', error => socket.onError?.(error))
    const socket: ReturnType<DnsTransport['open']> = {
      onReceive: undefined,
      onError: undefined,
      send: (bytes, address, port) => inner.send(bytes, port, address),
      close: () => inner.close(),
    }
    return socket
  },

  async connect(server, port, signal) {
    const inner = connect({ host: server, port, noDelay: true })
    signal.addEventListener('abort', () => inner.destroy(signal.reason as Error), { once: true })
    await new Promise<void>((resolve, reject) => inner.once('connect', resolve).once('error', reject))
    inner.on('error', () => {}) // the reader hears of it
    const parts = inner[Symbol.asyncIterator]()
    return {
      read: async () => (await parts.next()).value,
      write: bytes => new Promise(resolve => inner.write(bytes, () => resolve())),
      [Symbol.dispose]: () => inner.destroy(),
    }
  },
}
