/** Names that no server is asked for: those of the standards, and a table of one's own. */
import { DnsError } from './error.ts'
import { familyOf, parseAddress, parseName } from './name.ts'

/** Name to address, or to several. */
export type HostTable = Readonly<Record<string, string | readonly string[]>>

const loopback: readonly string[] = ['::1', '127.0.0.1']

export class Hosts {
  readonly #table = new Map<string, readonly string[]>()

  /** Throws a DnsError (EBADNAME) for what is no name or no address. */
  constructor(table: HostTable) {
    for (const [name, addresses] of Object.entries(table)) {
      const parsed = [addresses].flat().map(text => {
        const address = parseAddress(text)
        if (address !== undefined) return address
        throw new DnsError('EBADNAME', name, `${JSON.stringify(text)} in the table of hosts is not an address: write it as 10.137.0.16`)
      })
      this.#table.set(parseName(name), parsed)
    }
  }

  /** Addresses of both families; empty: there is no such name; undefined: ask. `name` in its one form. */
  addresses(name: string): readonly string[] | undefined {
    const own = this.#table.get(name)
    if (own !== undefined) return own
    const top = name.slice(name.lastIndexOf('.') + 1)
    if (top === 'localhost') return loopback // RFC 6761 section 6.3
    return top === 'invalid' || top === 'onion' ? [] : undefined // RFC 6761 section 6.4, RFC 7686 section 2
  }

  /** Names of an address. */
  names(address: string): string[] {
    const names = [...this.#table].filter(([, addresses]) => addresses.includes(address)).map(([name]) => name)
    const own = address === '::1' || (familyOf(address) === 4 && address.startsWith('127.'))
    return names.length === 0 && own ? ['localhost'] : names
  }
}
