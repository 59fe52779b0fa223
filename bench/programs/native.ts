/**
 * What `bench native` counts on target xen: an HTTP server with a page that does not change (`/`) and an async handler with URL, header and
 * JSON (`/api/...`), services of TCP that take (port 9) and give (port 19) what a client asks for, and of UDP that take (9) and answer (7).
 */
import { http, stack, unikernel } from 'xen-ts'

const PAGE = `<!doctype html><title>page</title><p>${'x'.repeat(560)}</p>\n`
const PIECE = 64 * 1024

export default unikernel({
  name: 'native',
  devices: { http: http(), stack: stack() },
  async start({ http, stack, log, signal }) {
    const headers = { 'content-type': 'text/html' }
    const api = async (request: Request): Promise<Response> => {
      const { pathname, searchParams } = new URL(request.url)
      return Response.json({ path: pathname, id: searchParams.get('id'), agent: request.headers.get('user-agent') })
    }
    const serving = [
      http.serve({ port: 80, signal }, request => (request.url.endsWith('/') ? new Response(PAGE, { headers }) : api(request))),
      stack.tcp.listen({ port: 9, signal }, async connection => {
        while ((await connection.read()) !== undefined);
        connection.end()
      }),
      stack.tcp.listen({ port: 19, signal }, async connection => {
        const piece = new Uint8Array(PIECE)
        // A byte asks for a piece.
        for (let asked = await connection.read(); asked !== undefined; asked = await connection.read())
          for (let i = 0; i < asked.length; i++) await connection.write(piece)
        connection.end()
      }),
    ]
    const sink = stack.udp.bind({ port: 9, onDatagrams: () => {} })
    const echo = stack.udp.bind({
      port: 7,
      onDatagrams: batch => {
        for (const datagram of batch) void echo.send(datagram.data, datagram)
      },
    })
    log.info('ready')
    await Promise.all(serving)
    sink.close()
    echo.close()
  },
})
