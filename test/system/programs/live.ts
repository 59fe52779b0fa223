/**
 * Both sides of a WebSocket and of events of a server, in two domains: one serves /ws, which sends back what it gets, and /events, which tells three
 * things and ends; the other asks it.
 */
import { upgradeWebSocket } from '@xen-ts/stack'
import { arg, http, unikernel } from 'xen-ts'

export default unikernel({
  name: 'live',
  args: { peer: arg.string({ default: '', doc: 'host to ask; without it, this one serves' }) },
  devices: { web: http() },
  async start({ web, args: { peer }, log, signal }) {
    if (peer === '') {
      await web.serve({ port: 80, signal }, request => {
        if (new URL(request.url).pathname === '/ws') {
          const { socket, response } = upgradeWebSocket(request, { protocol: 'echo' })
          socket.onmessage = ({ data }) => socket.send(data)
          return response
        }
        const begun = Number(request.headers.get('last-event-id') ?? 0)
        const text = [1, 2, 3].map(i => `id: ${begun + i}\nevent: tick\ndata: ${begun + i}\n\n`).join('')
        return new Response(`retry: 200\n\n${text}`, { headers: { 'content-type': 'text/event-stream' } })
      })
      return
    }
    const socket = new WebSocket(`ws://${peer}/ws`, ['echo'])
    socket.binaryType = 'arraybuffer'
    const sent: (string | Uint8Array<ArrayBuffer>)[] = ['', 'text äöü', new Uint8Array(200_000).fill(7), 'x'.repeat(70_000)]
    let came = 0
    const closed = new Promise<CloseEvent>(resolve => {
      socket.onclose = resolve
    })
    socket.onopen = () => {
      for (const data of sent) socket.send(data)
    }
    socket.onmessage = ({ data }) => {
      const expected = sent[came++]!
      const same =
        typeof data === 'string' ? data === expected : data.byteLength === expected.length && new Uint8Array(data).every(byte => byte === 7)
      log.info(`message ${came}: ${same ? 'the same' : 'another'}`)
      if (came === sent.length) socket.close(1000, 'enough')
    }
    const { code, wasClean } = await closed // the server sends back the code alone
    log.info(`closed: ${code}, ${wasClean ? 'clean' : 'not clean'}, protocol ${socket.protocol}`)

    const source = new EventSource(`http://${peer}/events`)
    const ticks: string[] = []
    await new Promise<void>(resolve => {
      source.addEventListener('tick', event => {
        ticks.push((event as MessageEvent).data)
        // The server ends after three: what follows comes by another connection, which begins behind the last id.
        if (ticks.length === 6) resolve()
      })
    })
    source.close()
    log.info(`events: ${ticks}`)
  },
})
