/** The project's HTTP server in its simulated world. */
import { httpServer } from '@xen-ts/stack'
import { pair } from '@xen-ts/stack/testing'

export interface Answer {
  /** Requests that reached the handler. */
  readonly requests: readonly { readonly method: string; readonly url: string; readonly body: string }[]
  /** Statuses of all responses, in order. */
  readonly statuses: readonly number[]
  readonly text: string
}

/** Sends the bytes, then nothing for `milliseconds` of the world's time, and tells what happened. */
export async function ask(pieces: readonly string[], milliseconds = 5000): Promise<Answer> {
  const { world, client, server } = pair(7)
  const controller = new AbortController()
  const requests: { method: string; url: string; body: string }[] = []
  const handler = async (request: Request): Promise<Response> => {
    const body = Buffer.from(await request.arrayBuffer()).toString('latin1')
    requests.push({ method: request.method, url: request.url, body })
    // The runtime's Response has its bytes at hand; Node's does not.
    return Object.assign(new Response('ok'), { bodyBytes: () => Buffer.from('ok') })
  }
  const serving = httpServer(world.machine('http'), server.tcp).serve({ port: 80, signal: controller.signal }, handler)
  let text = '',
    over = false
  void (async () => {
    const connection = await client.tcp.connect({ host: '10.0.0.2', port: 80 })
    pieces.forEach((piece, i) =>
      world.at(i * 2, () => void Promise.resolve(connection.write(Buffer.from(piece, 'latin1'))).catch(() => {})),
    )
    for (let bytes = await connection.read(); bytes !== undefined; bytes = await connection.read())
      text += Buffer.from(bytes).toString('latin1')
    over = true
  })().catch(() => {
    over = true
  })
  await world.run(milliseconds, () => over)
  controller.abort()
  await Promise.race([Promise.resolve(serving).catch(() => {}), world.run(100)])
  return { requests, statuses: [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(match => Number(match[1])), text }
}
