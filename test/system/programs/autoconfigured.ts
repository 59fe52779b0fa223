/** Says over HTTP which addresses it has, which of them it uses, and what a name server says; for a network that changes. */
import { http, stack, unikernel } from 'xen-ts'

export default unikernel({
  name: 'autoconfigured',
  devices: { web: http(), net: stack() },
  async start({ web, net, signal }) {
    await web.serve({ port: 80, signal }, async request => {
      const { pathname, searchParams } = new URL(request.url)
      if (pathname === '/addresses') return new Response(net.addresses.map(({ address, prefix }) => `${address}/${prefix}\n`).join(''))
      const host = searchParams.get('host')!
      if (pathname === '/resolve') return new Response(`${(await net.resolve(host)).join(' ')}\n`)
      using connection = await net.tcp.connect({ host, port: 4000, timeout: 10_000 })
      return new Response(`from ${connection.local.address} to ${connection.remoteAddress}\n`)
    })
  },
})
