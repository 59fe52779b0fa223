import { type AddressInfo, createServer } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { RigError } from './errors.ts'
import type { Link } from './link.ts'

/**
 * Listens on a TCP port of the host (on 127.0.0.1) and carries each connection through a shell of dom0 to an address that dom0 knows:
 * for a machine that cannot forward ports by itself.
 * @param ended resolves with the machine's end, which is the forward's
 * @param hostPort 0 picks a free one
 * @returns the port
 */
export function forwardByShell(link: Link, ended: Promise<void>, hostPort: number, address: string, port: number): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, socket => {
    link.spawn(`exec nc ${address} ${port}`).then(
      async stream => {
        await Promise.allSettled([pipeline(socket, stream, { end: true }), pipeline(stream, socket)])
      },
      () => socket.destroy(),
    )
  })
  // A program that is done must not stay for it.
  server.unref()
  void ended.then(() => server.close())
  return new Promise((resolve, reject) => {
    server.once('error', cause =>
      reject(
        new RigError(
          `Port ${hostPort} of the host cannot be forwarded to ${address}:${port}`,
          cause.message,
          'Choose a port that is free, or 0.',
          { cause },
        ),
      ),
    )
    server.listen(hostPort, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}
