/**
 * What a program asks of the world, as often as it can: over HTTP it is told what. Sends back the datagrams that come to port 7.
 *   /fetch?url=URL&at=N&seconds=S   N requests at a time; answers how many were answered, and how many failed
 *   /resolve?zone=ZONE&at=N&seconds=S&known   the same of look-ups of names below ZONE, each another one, or always the same
 *   /memory                         bytes that are in use
 */
import type { XenMachine } from '@xen-ts/runtime/machine'
import type { Http1Server } from '@xen-ts/stack'
import { device, http, stack, unikernel } from 'xen-ts'

const machine = device({ name: 'machine', connect: (_needs, context) => context.machine as XenMachine })

export default unikernel({
  name: 'client',
  devices: { web: http(), net: stack(), machine },
  async start({ web, net, machine, signal }) {
    let name = 0

    async function load(atATime: number, seconds: number, once: () => Promise<unknown>): Promise<Response> {
      const until = performance.now() + seconds * 1000
      let done = 0
      let failed = 0
      const one = async (): Promise<void> => {
        while (performance.now() < until)
          await once().then(
            () => done++,
            () => failed++,
          )
      }
      await Promise.all(Array.from({ length: atATime }, one))
      return Response.json({ done, failed })
    }

    const datagrams = net.udp.bind({
      port: 7,
      signal,
      onDatagrams: all => {
        for (const { data, address, port } of all) datagrams.send(data, { address, port }).catch(() => {})
      },
    })
    await (web as Http1Server).serve({ port: 80, signal, limits: { idleTimeout: 300 } }, request => {
      const { pathname, searchParams } = new URL(request.url)
      const [atATime, seconds] = ['at', 'seconds'].map(key => Number(searchParams.get(key)))
      if (pathname === '/fetch') {
        const url = searchParams.get('url')!
        return load(atATime, seconds, async () => (await fetch(url)).arrayBuffer())
      }
      if (pathname === '/resolve') {
        const zone = searchParams.get('zone')!
        const next = searchParams.has('known') ? () => `known.${zone}` : () => `n${name++}.${zone}`
        return load(atATime, seconds, () => net.resolve(next(), { family: 4 }))
      }
      return Response.json({ used: machine.abi.memory(2) + machine.abi.memory(3) })
    })
  },
})
