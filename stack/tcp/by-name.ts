/** A connection to a host by its name: which address it is made to, and what is told when there is none. */
import type { Timers } from '@xen-ts/runtime/machine'
import { race } from '../dns/happy-eyeballs.ts'
import { SocketError } from '../socket.ts'
import type { TcpStream } from './stream.ts'
import type { ConnectOptions } from './tcp.ts'

/** What finds the addresses of a name, in the order to try them. Rejects with a DnsError. */
export type Resolver = (name: string, options: { readonly signal: AbortSignal | undefined }) => Promise<string[]>

/**
 * Asks for the addresses, and connects to the first that answers (RFC 8305). `timeout` is for all of it.
 * @param connect to an address
 */
export async function connectByName(
  { host, port, timeout, signal }: ConnectOptions,
  timers: Timers,
  resolve: Resolver,
  connect: (options: ConnectOptions) => Promise<TcpStream>,
): Promise<TcpStream> {
  const controller = new AbortController()
  const abort = (): void => controller.abort(signal!.reason)
  signal?.addEventListener('abort', abort, { once: true })
  const late = (): void => {
    const what = `cannot connect to ${host}:${port} within ${timeout! / 1000} s`
    controller.abort(new SocketError('ETIMEDOUT', `${what}: neither its name server nor any address of it has answered`))
  }
  const timer = timeout === undefined ? undefined : timers.set(timeout, late)
  try {
    const addresses = await resolve(host, { signal: controller.signal })
    const { connection } = await race(addresses, {
      timers,
      signal: controller.signal,
      connect: (address, signal) => connect({ host: address, port, signal }),
      close: connection => connection.abort(),
    })
    return connection
  } catch (error) {
    if (!(error instanceof AggregateError)) throw error
    const [first] = error.errors.filter(each => each instanceof SocketError)
    throw new SocketError(first?.code ?? 'EHOSTUNREACH', `cannot connect to ${host}:${port}: ${error.message}`)
  } finally {
    timer?.cancel()
    signal?.removeEventListener('abort', abort)
  }
}
