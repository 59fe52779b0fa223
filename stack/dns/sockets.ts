/** The stack's own UDP and TCP as what carries questions and answers. */
import type { Tcp } from '../tcp/tcp.ts'
import type { Udp } from '../udp/udp.ts'
import type { DatagramSocket, DnsTransport } from './transport.ts'

export const stackTransport = (udp: Udp, tcp: Pick<Tcp, 'connect'>): DnsTransport => ({
  open(server) {
    const route = udp.routeTo(server)
    const port = udp.open(
      (bytes, offset, length, from, remotePort) => {
        socket.onReceive?.(bytes.subarray(offset, offset + length), from.peer, remotePort)
      },
      ({ route, remotePort, code, mtu }) => {
        // That one was too big (RFC 1191) is hearsay: questions are small.
        if (route.peer !== server || remotePort !== asked || mtu !== undefined || socket.onError === undefined) return false
        socket.onError(new Error(`the network answers unreachable, ICMP code ${code}`))
        return true
      },
    )
    /** The port that a question went to. */
    let asked = 0
    const socket: DatagramSocket = {
      onReceive: undefined,
      onError: undefined,
      // When no frame is free the datagram is lost, and the question is asked again in its time.
      send(bytes, address, remotePort) {
        asked = remotePort
        udp.send(port.number, address === server ? route : address, remotePort, bytes)
      },
      close: () => port.close(),
    }
    return socket
  },
  connect: (host, port, signal) => tcp.connect({ host, port, signal }),
})
