/** Names as the host resolves them: its table of hosts, its name servers. */
import { lookup } from 'node:dns/promises'
import type { Stack } from '@xen-ts/runtime'
import { DnsError, type DnsErrorCode, Hosts, parseAddress, parseHostName } from '@xen-ts/stack/sockets'

/** By what the host says (getaddrinfo): our code, and the rest of the sentence. */
const meanings: Readonly<Record<string, readonly [DnsErrorCode, string]>> = {
  ENOTFOUND: ['ENOTFOUND', 'there is no such name; check how it is written'],
  ENODATA: ['ENODATA', 'the name exists, but has no address'],
  EAI_AGAIN: ['ETIMEOUT', 'its name servers do not answer; check that they can be reached'],
}

export class HostNames {
  /** Those of the standards are the same on every stack. */
  readonly #special = new Hosts({})

  readonly resolve: Stack['resolve'] = async (host, { family, signal } = {}) => {
    signal?.throwIfAborted()
    const literal = parseAddress(host)
    if (literal !== undefined) return [literal]
    const name = parseHostName(host)
    const own = this.#special.addresses(name)
    if (own === undefined) return this.#ask(name, family, signal)
    if (own.length === 0)
      throw new DnsError('ENOTFOUND', name, `cannot resolve ${name}: such names are in no DNS (RFC 6761, RFC 7686); use another`)
    return own.filter(address => family === undefined || family === (address.includes(':') ? 6 : 4))
  }

  async #ask(name: string, family: 4 | 6 | undefined, signal: AbortSignal | undefined): Promise<string[]> {
    const aborted = Promise.withResolvers<never>()
    const abort = (): void => aborted.reject(signal!.reason)
    signal?.addEventListener('abort', abort, { once: true })
    try {
      const found = await Promise.race([lookup(name, { all: true, family: family ?? 0, order: 'verbatim' }), aborted.promise])
      return found.map(({ address }) => address)
    } catch (error) {
      signal?.throwIfAborted()
      const { code = '', message } = error as NodeJS.ErrnoException
      const [ours, text] = meanings[code] ?? ['ESERVFAIL', message]
      throw new DnsError(ours, name, `cannot resolve ${name}, says this host: ${text}`)
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }
}
