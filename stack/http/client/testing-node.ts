/** For tests: Node's sockets as the TCP of a client. */
import { connect, type Socket } from 'node:net'
import type { ByteStream } from './connection.ts'
import type { Connector } from './pool.ts'

export const nodeTcp: { readonly connect: Connector } = {
  async connect({ host, port, timeout, signal }) {
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true, signal })
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    socket.once('connect', resolve).once('error', reject)
    const timer = setTimeout(() => socket.destroy(new Error('connect timed out')), timeout)
    try {
      await promise
    } catch (error) {
      throw signal?.aborted ? signal.reason : error
    } finally {
      clearTimeout(timer)
      socket.removeListener('error', reject)
    }
    return streamOf(socket)
  },
}

/** Pulled: what nobody reads stays with the peer. */
function streamOf(socket: Socket): ByteStream {
  let error: Error | undefined
  let isEnded = false
  const wake = new Set<() => void>()
  const all = (): void => {
    for (const one of wake) one()
    wake.clear()
  }
  const change = (): Promise<void> => new Promise(resolve => wake.add(resolve))
  socket.on('error', thrown => {
    error = thrown
  })
  for (const event of ['readable', 'drain', 'close'] as const) socket.on(event, all)
  socket.on('end', () => {
    isEnded = true
    all()
  })
  return {
    async read() {
      for (;;) {
        const bytes: Buffer | null = socket.read()
        if (bytes !== null) return bytes
        if (error !== undefined) throw error
        if (isEnded || socket.destroyed) return undefined
        await change()
      }
    },
    async write(bytes) {
      if (error !== undefined) throw error
      if (socket.destroyed || socket.writableEnded) throw new Error('EPIPE: the socket is closed')
      let isTaken = socket.write(bytes)
      while (!isTaken && !socket.destroyed) {
        await change()
        isTaken = !socket.writableNeedDrain
      }
      if (error !== undefined) throw error
    },
    close: () => void socket.end(() => socket.destroy()),
    abort: () => void socket.resetAndDestroy(),
  }
}
