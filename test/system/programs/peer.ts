// Serves what dom0's tools ask of a host, by both families: bytes of every length, files, an echo over HTTP, WebSockets, TCP and UDP, sinks for
// the same bytes, and what it has counted.
import type { XenMachine } from '@xen-ts/runtime/machine'
import { counterValues, type Http1Server, type IpStack, upgradeWebSocket } from '@xen-ts/stack'
import { assets, device, http, stack, unikernel } from 'xen-ts'

/** A prime number of bytes, so that none of what was sent twice, left out or exchanged looks like what is next to it. */
const period = 65_521
const block = Uint8Array.from({ length: 2 * period }, (_, i) => ((i % period) * 167 + (((i % period) >>> 8) ^ 0x5a)) & 255)

function bytes(length: number): Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> {
  if (length <= period) return block.slice(0, length)
  let sent = 0
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      const size = Math.min(period, length - sent)
      controller.enqueue(block.slice(0, size))
      sent += size
      if (sent === length) controller.close()
    },
  })
}

/** How many bytes of a stream it takes at a time to see where something is wrong. */
const piece = 256

const machine = device({ name: 'machine', connect: (_needs, context) => context.machine as XenMachine })

export default unikernel({
  name: 'peer',
  devices: { net: stack(), web: http(), files: assets('../../../docs'), machine },
  async start({ net, web, files, machine, signal }) {
    const ip = net as IpStack
    const state = () => ({
      memory: { free: machine.abi.memory(1), heap: machine.abi.memory(2), pages: machine.abi.memory(3) },
      connections: ip.tcp.connections,
      counters: counterValues(ip.counters),
    })
    const echoing = net.tcp.listen({ port: 7, signal }, async connection => {
      using socket = connection
      for (let part = await socket.read(); part !== undefined; part = await socket.read()) await socket.write(part)
      socket.end()
    })
    /** Looks whether what comes is what /bytes gives. */
    const inspector = () => {
      let taken = 0
      let wrong = -1
      return {
        look(part: Uint8Array) {
          for (let at = 0; at < part.length; at += piece) {
            const size = Math.min(piece, part.length - at)
            const expected = machine.abi.checksum(block, taken % period, size, 0)
            if (wrong < 0 && machine.abi.checksum(part, at, size, 0) !== expected) wrong = taken
            taken += size
          }
        },
        result: () => (wrong < 0 ? `${taken} bytes, all right\n` : `${taken} bytes, wrong at ${wrong}\n`),
      }
    }
    const sinking = net.tcp.listen({ port: 9, signal }, async connection => {
      using socket = connection
      const { look, result } = inspector()
      for (let part = await socket.read(); part !== undefined; part = await socket.read()) look(part)
      await socket.write(new TextEncoder().encode(result()))
      socket.end()
    })
    const datagrams = net.udp.bind({
      port: 7,
      signal,
      onDatagrams: all => {
        for (const { data, address, port } of all) datagrams.send(data, { address, port }).catch(() => {})
      },
    })
    // A thousand connections may all be open before the first one asks, however slow the machine is.
    const limits = { idleTimeout: 300 }
    const serving = (web as Http1Server).serve({ port: 80, signal, limits }, async request => {
      const { pathname } = new URL(request.url)
      if (pathname === '/state') return Response.json(state())
      if (pathname === '/echo') return new Response(await request.arrayBuffer())
      if (pathname === '/take') {
        const { look, result } = inspector()
        if (request.body !== null) for await (const part of request.body) look(part)
        return new Response(result())
      }
      if (pathname === '/socket') {
        const { socket, response } = upgradeWebSocket(request)
        socket.onmessage = ({ data }) => socket.send(data)
        return response
      }
      const file = files.respond(request)
      if (file !== undefined) return file
      const length = Number(/^\/bytes\/(\d+)$/.exec(pathname)?.[1] ?? NaN)
      return Number.isNaN(length) ? new Response('not here\n', { status: 404 }) : new Response(bytes(length))
    })
    await Promise.all([echoing, sinking, serving])
  },
})
