/** The global `EventSource` of every domain, on an HTTP client of its own, whose connections may be silent for long. */
import { type Global, stack } from '@xen-ts/runtime'
import { type ClientEventSource, eventSourceClass, type HttpClient, httpClient, type IpStack } from '@xen-ts/stack'

/** Seconds after which a server that says nothing is asked anew: it may be gone. */
const SILENCE = 300
const CONNECTIONS = 64

export const EventSource: Global = ({ machine, lifecycle, use }) => {
  const open = new Set<ClientEventSource>()
  let client: Promise<HttpClient> | undefined
  const connect = async (): Promise<HttpClient> => {
    const { tcp } = (await use(stack())) as IpStack
    const limits = { bodyTimeout: SILENCE, connections: CONNECTIONS, connectionsPerOrigin: CONNECTIONS }
    return httpClient(machine, tcp, limits)
  }
  lifecycle.onShutdown('EventSource', () => {
    for (const source of open) source.close()
  })
  const fetch = async (url: string, init: RequestInit): Promise<Response> => {
    client ??= connect()
    return (await client).fetch(url, init)
  }
  return eventSourceClass({ timers: machine.timers, fetch }, open)
}
