/** What carries questions and answers: the stack's sockets in the guest, Node's or none at all in tests. */

export interface DatagramSocket {
  send(bytes: Uint8Array, address: string, port: number): void
  /** `bytes` are valid during the call only. `address` is in the form of the servers' (dotted decimal; IPv6 as in RFC 5952). */
  onReceive: ((bytes: Uint8Array, address: string, port: number) => void) | undefined
  /** The network says that the peer cannot be reached (ICMP). Not every socket knows. */
  onError?: ((error: Error) => void) | undefined
  close(): void
}

export interface ByteStream extends Disposable {
  /** At least one byte; undefined at the end. Rejects when the connection broke. */
  read(): Promise<Uint8Array | undefined>
  write(bytes: Uint8Array): Promise<void>
}

export interface DnsTransport {
  /**
   * A socket that can send to `server`, on a local port of its own that nobody can guess (RFC 5452 section 9.2). Throws when there is no
   * network.
   */
  open(server: string): DatagramSocket
  /** A TCP connection; rejects when `signal` aborts before it is established. */
  connect(server: string, port: number, signal: AbortSignal): Promise<ByteStream>
}
