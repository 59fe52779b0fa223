/** The global `fetch` of every domain: an HTTP client on the stack, which is connected, if the program has not asked for it, at the first call. */
import { type Global, stack } from '@xen-ts/runtime'
import { fetchError, type HttpClient, httpClient, type IpStack } from '@xen-ts/stack'

export const fetch: Global = ({ machine, lifecycle, use }) => {
  let client: HttpClient | undefined
  let connecting: Promise<HttpClient> | undefined
  const connect = async (): Promise<HttpClient> => {
    const { tcp } = (await use(stack())) as IpStack
    const made = httpClient(machine, tcp)
    lifecycle.onShutdown('fetch', () => made.close())
    client = made
    return made
  }
  const first = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    let made: HttpClient
    try {
      connecting ??= connect()
      made = await connecting
    } catch (error) {
      throw fetchError(typeof input === 'object' && 'url' in input ? input.url : String(input), error)
    }
    return made.fetch(input, init)
  }
  return (input: string | URL | Request, init?: RequestInit) => (client === undefined ? first(input, init) : client.fetch(input, init))
}
