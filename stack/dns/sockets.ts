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
      (peer, remotePort, code) => {
        const isAsked = peer === server && remotePort === asked && socket.onError !== undefined
        if (isAsked) socket.onError?.(new Error(`the network answers unreachable, ICMP code ${code}`))
        return isAsked
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
