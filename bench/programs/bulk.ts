/**
 * Bytes in bulk over TCP: whoever connects to port 9 is read until the end, and gets back how many bytes there were; whoever connects
 * to port 19 gets 5 MB. (The services of old with these numbers were called discard and chargen.)
 */
import { stack, type TcpConnection, unikernel } from 'xen-ts'

const PIECE = 64 * 1024
const BYTES = 5_000_000

export default unikernel({
  name: 'bulk',
  devices: { stack: stack() },
  async start({ stack, log, signal }) {
    const piece = new Uint8Array(PIECE).map((_, i) => i)
    const serve = (port: number, talk: (connection: TcpConnection) => Promise<void>) =>
      stack.tcp.listen({ port, signal }, connection => {
        talk(connection).then(
          () => connection.end(),
          (error: Error) => log.warn(error.message),
        )
      })
    const serving = [
      serve(9, async connection => {
        let bytes = 0
        for (let read = await connection.read(); read !== undefined; read = await connection.read()) bytes += read.length
        await connection.write(new TextEncoder().encode(`${bytes}\n`))
      }),
      serve(19, async connection => {
        for (let left = BYTES; left > 0; left -= PIECE) await connection.write(left < PIECE ? piece.subarray(0, left) : piece)
      }),
    ]
    log.info('listening')
    await Promise.all(serving)
  },
})
