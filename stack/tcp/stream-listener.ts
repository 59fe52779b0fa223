/** Connections with promises from a listener without: our TCP, or the host's. */
import type { HostFunctions, Timers } from '@xen-ts/runtime/machine'
import type { Listener, ListenOptions } from '../socket.ts'
import { TcpStream } from './stream.ts'

export interface StreamListenOptions extends ListenOptions {
  readonly port: number
  /**
   * Milliseconds of silence after which a client is asked for a sign of life; Infinity: never. Default: a minute, so that clients that
   * vanished do not use up the connections of the stack.
   */
  readonly keepAlive?: number
  /** Of each connection: see ConnectOptions. */
  readonly userTimeout?: number
}

/** See StreamListenOptions. (RFC 9293 section 3.8.4 wants two hours where nobody chose; a minute costs a server nothing.) */
const KEEP_ALIVE = 60_000

/** Calls `accept` for each connection until the signal aborts, then resolves. Rejects as `bind` does. */
export async function listenForStreams(
  listener: Listener,
  { abi, timers }: { readonly abi: HostFunctions; readonly timers: Timers },
  options: StreamListenOptions,
  accept: (connection: TcpStream) => void,
): Promise<void> {
  const { port, signal, keepAlive = KEEP_ALIVE, userTimeout } = options
  checkTimeout(userTimeout)
  await listener.bind(port, options, socket => {
    const connection = new TcpStream(socket, abi, timers)
    socket.keepAlive(keepAlive)
    if (userTimeout !== undefined) socket.giveUpAfter?.(userTimeout)
    accept(connection)
    return connection.handler
  })
  if (signal?.aborted) return
  await new Promise<void>(resolve => signal?.addEventListener('abort', () => resolve(), { once: true }))
}

/** @throws RangeError */
export function checkTimeout(userTimeout: number | undefined): void {
  if (userTimeout !== undefined && !(userTimeout > 0))
    throw new RangeError(`userTimeout ${userTimeout}: the time must be a number of milliseconds above 0`)
}
