// Serves bytes both ways, and fetches some from where it is told.
import { http, stack, unikernel } from 'xen-ts'

export default unikernel({
  name: 'ipv6',
  devices: { http: http(), net: stack() },
  async start({ http, net, log, signal }) {
    for (const { address, prefix } of net.addresses) log.info(`reached at ${address}/${prefix}`)
    await http.serve({ port: 80, signal }, async request => {
      const { pathname, searchParams } = new URL(request.url)
      if (request.method === 'POST') return new Response(`${(await request.bytes()).length} bytes`)
      if (pathname === '/big') return new Response(new Uint8Array(5_000_000).map((_, i) => (i * 31) >>> 7))
      if (pathname !== '/connect') return new Response(`hello from ${request.url}\n`)
      using connection = await net.tcp.connect({ host: searchParams.get('host')!, port: 4000, timeout: 10_000 })
      let length = 0
      for (let bytes; (bytes = await connection.read()) !== undefined; ) length += bytes.length
      return new Response(`${length} bytes from ${connection.remoteAddress}\n`)
    })
  },
})
