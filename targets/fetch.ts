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
    const signal = init?.signal ?? (typeof input === 'object' && 'signal' in input ? input.signal : undefined)
    signal?.throwIfAborted()
    let made: HttpClient
    try {
      connecting ??= connect()
      made = await (signal === undefined ? connecting : orAborted(connecting, signal))
    } catch (error) {
      if (signal?.aborted) throw signal.reason
      throw fetchError(typeof input === 'object' && 'url' in input ? input.url : String(input), error)
    }
    return made.fetch(input, init)
  }
  return (input: string | URL | Request, init?: RequestInit) => (client === undefined ? first(input, init) : client.fetch(input, init))
}

/** The stack may wait for a backend, and its user need not. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const abort = (): void => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
