/**
 * Asks the name servers, as dig does: the names of its command line first, then whatever is asked for over HTTP.
 *
 *     npx xen-ts build examples/lookup
 *     npx xen-ts run lookup.xen -- ipv4=10.137.0.16/24 ipv4-gateway=10.137.0.1 dns=10.137.0.1 names=www.example.org,_imap._tcp.example.org:SRV
 *     curl 'http://localhost:8080/www.example.org?type=TXT'
 *
 * With `dhcp` in place of ipv4, ipv4-gateway and dns all of them come from a DHCP server, which knows this program by the name of lookup.
 */
import type { DnsError, IpStack } from '@xen-ts/stack'
import { arg, http, stack, unikernel } from 'xen-ts'

const types = ['A', 'AAAA', 'CNAME', 'SRV', 'TXT', 'PTR'] as const
type Type = (typeof types)[number]

/** What the servers say, a line for each record. An address is asked for its names. */
async function lookup({ names }: IpStack, name: string, type: string | undefined, signal: AbortSignal): Promise<string[]> {
  if (type === 'TXT') return (await names.texts(name, { signal })).map(text => `${name} TXT ${JSON.stringify(text)}`)
  if (type === 'PTR') return (await names.reverse(name, { signal })).map(host => `${name} PTR ${host}`)
  if (type === 'SRV')
    return (await names.services(name, { signal })).map(
      ({ priority, weight, port, target }) => `${name} SRV ${priority} ${weight} ${port} ${target}`,
    )
  if (type === undefined) return (await names.resolve(name, { signal })).map(address => `${name} has address ${address}`)
  if (!types.includes(type as Type)) throw new TypeError(`type ${type} is not one of ${types.join(' ')}`)
  // Behind aliases the record is that of another name.
  return (await names.lookup(name, type as Type, { signal })).map(record => {
    const data = 'address' in record ? record.address : 'target' in record ? record.target : ''
    return `${record.name} ${record.ttl} ${record.type} ${data}`
  })
}

export default unikernel({
  name: 'lookup',
  args: { names: arg.list({ doc: 'names to look up, each as NAME or NAME:TYPE' }) },
  devices: { net: stack(), web: http() },
  async start({ net, web, args, log, signal }) {
    const ip = net as IpStack
    const serving = web.serve({ port: 80, signal }, async request => {
      const url = new URL(request.url)
      const name = url.pathname.slice(1)
      try {
        const lines = await lookup(ip, name, url.searchParams.get('type') ?? undefined, request.signal)
        return new Response(`${lines.join('\n')}\n`)
      } catch (error) {
        const { code = 'error', message } = error as DnsError
        return new Response(`${code}: ${message}\n`, { status: code === 'ENOTFOUND' || code === 'ENODATA' ? 404 : 502 })
      }
    })
    for (const question of args.names) {
      const [name, type] = question.split(':')
      await lookup(ip, name, type, signal).then(
        lines => lines.map(line => log.info(line)),
        (error: Error) => log.warn(error.message),
      )
    }
    await serving
  },
})
