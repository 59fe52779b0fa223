/** Node's sockets behind the interfaces of socket.ts: the HTTP server without our TCP. */
import { createServer, type Socket } from 'node:net'
import type { ByteSocket, Listener } from '../socket.ts'

const HIGH_WATER = 64 * 1024

export const nodeListener: Listener = {
  bind(port, { signal }, accept) {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, socket => {
      let kept = 0
      /** What a receive window does for TCP: more than this is not read from the socket while it waits. */
      const keep = (more: number): void => {
        kept += more
        if (kept > HIGH_WATER !== socket.isPaused()) socket.isPaused() ? socket.resume() : socket.pause()
      }
      const handler = accept(wrap(socket, length => keep(-length)))
      socket.on('data', data => keep(handler.onData(data, 0, data.length)))
      socket.on('end', () => handler.onEnd())
      socket.on('drain', () => handler.onWritable())
      socket.on('error', () => {})
      socket.on('close', failed => handler.onClosed(failed ? new Error('socket failed') : undefined))
    })
    server.listen(port, '127.0.0.1')
    signal?.addEventListener('abort', () => server.close(), { once: true })
  },
}

function wrap(socket: Socket, consumed: (length: number) => void): ByteSocket {
  let corked = false
  let deadline: NodeJS.Timeout | undefined
  socket.on('close', () => clearTimeout(deadline))
  return {
    remote: { address: socket.remoteAddress!, port: socket.remotePort! },
    local: { address: socket.localAddress!, port: socket.localPort! },
    queue(bytes, offset, length) {
      if (!corked) socket.cork()
      corked = true
      socket.write(bytes.subarray(offset, offset + length))
    },
    flush() {
      if (corked) socket.uncork()
      corked = false
    },
    get room() {
      return HIGH_WATER - socket.writableLength
    },
    consumed,
    end: () => void socket.end(),
    abort: () => void socket.destroy(),
    abortAfter(milliseconds) {
      clearTimeout(deadline)
      if (milliseconds !== Infinity) deadline = setTimeout(() => socket.destroy(new Error('did not close in time')), milliseconds)
    },
    keepAlive: milliseconds => void socket.setKeepAlive(milliseconds !== undefined, milliseconds),
  }
}
