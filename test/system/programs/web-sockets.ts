/** Talks to itself, or to another one, by WebSocket, and listens to its events. */
import { arg, http, once, unikernel, upgradeWebSocket } from 'xen-ts'

export default unikernel({
  name: 'sockets',
  devices: { http: http() },
  args: { peer: arg.string({ default: '', doc: 'address of the one to talk to; without it, it serves only' }) },
  async start({ http, args: { peer }, log, signal }) {
    const closes: string[] = []
    const serving = http.serve({ port: 80, signal }, request => {
      if (new URL(request.url).pathname === '/events') {
        const id = request.headers.get('last-event-id') ?? 'none'
        return new Response(`retry: 100\nid: ${id}x\ndata: after ${id}\n\n`, { headers: { 'content-type': 'text/event-stream' } })
      }
      const { socket, response } = upgradeWebSocket(request, { protocol: 'echo' })
      socket.onmessage = ({ data }) => socket.send(data)
      socket.onclose = ({ code, reason }) => closes.push(`${code} ${reason}`)
      return response
    })
    if (peer === '') {
      await serving
      log.info(`closes: ${closes.join(', ')}`)
      return
    }
    const socket = new WebSocket(`ws://${peer}/`, ['other', 'echo'])
    await new Promise(resolve => socket.addEventListener('open', resolve))
    log.info(`open ${socket.protocol} ${socket.url}`)
    const lengths = [0, 1, 125, 126, 65_535, 65_536, 500_000]
    const echoes: boolean[] = []
    const all = Promise.withResolvers<void>()
    socket.onmessage = ({ data }) => {
      const length = lengths[echoes.length >> 1]
      const isRight = typeof data === 'string' ? data === 'ä'.repeat(length) : new Uint8Array(data).every((byte, i) => byte === i % 251)
      echoes.push(isRight && (typeof data === 'string' ? data.length : data.byteLength) === length)
      if (echoes.length === 2 * lengths.length) all.resolve()
    }
    for (const length of lengths) {
      socket.send('ä'.repeat(length))
      socket.send(Uint8Array.from({ length }, (_, i) => i % 251))
    }
    await all.promise
    log.info(`echoes: ${echoes.filter(isRight => isRight).length} of ${echoes.length}`)
    const closed = new Promise<CloseEvent>(resolve => socket.addEventListener('close', resolve))
    socket.close(4000, 'enough')
    const { code, wasClean } = await closed
    log.info(`closed ${code} ${wasClean}`)

    const source = new EventSource(`http://${peer}/events`)
    const events: string[] = []
    await new Promise<void>(resolve => {
      source.onmessage = ({ data }) => {
        if (events.push(data) === 3) resolve()
      }
    })
    source.close()
    log.info(`events: ${events.join(', ')}`)

    const refused = new WebSocket(`ws://${peer}:9/`)
    const message = await new Promise(resolve => refused.addEventListener('error', event => resolve((event as unknown as Error).message)))
    log.info(`refused: ${message}`)
    // What is open at the end is closed then.
    const last = new WebSocket(`ws://${peer}/`, 'echo')
    await new Promise(resolve => last.addEventListener('open', resolve))
    await Promise.race([once(signal), new Promise(resolve => setTimeout(resolve, 100))])
  },
})
