/** The DNS client of programs: names to addresses and other records, from a table of hosts, a cache, or the servers. */
import type { Machine, Timer } from '@xen-ts/runtime/machine'
import { decodeUtf8 } from '@xen-ts/runtime/web'
import { DNS_PORT, type DnsRecord, type RecordType, type SrvData } from '../wire/dns.ts'
import { type CacheLimits, DnsCache, defaultCacheLimits, type Kept } from './cache.ts'
import { DnsCounters } from './counters.ts'
import { DnsError, type DnsErrorCode } from './error.ts'
import { interleave } from './happy-eyeballs.ts'
import { Hosts, type HostTable } from './hosts.ts'
import { Lookup, type LookupEnvironment } from './lookup.ts'
import { type Family, parseAddress, parseHostName, parseName, reverseName } from './name.ts'
import { orderServices } from './srv.ts'
import type { DnsTransport } from './transport.ts'

export interface DnsOptions {
  /** Addresses of recursive servers, in order of preference, `10.139.1.1` or `fd00::1`. The one that answered last is asked first. */
  readonly servers: readonly string[]
  /** Default 53. */
  readonly port?: number
  readonly hosts?: HostTable
  /** Families that there are routes for: nothing else is asked for by `resolve`. Called each time. Default: both. */
  readonly families?: () => readonly Family[]
  /** The addresses of a name in the order of preference (order.ts). Default: IPv6 first. */
  readonly order?: (addresses: readonly string[]) => string[]
  readonly cache?: Partial<CacheLimits>
  /** Names that are asked for at a time; more wait their turn. Default 32. */
  readonly concurrency?: number
}

export interface LookupOptions {
  /** Gives up with its reason when it aborts. An equal question of somebody else goes on. */
  readonly signal?: AbortSignal
}

export interface ResolveOptions extends LookupOptions {
  /** Addresses of this family only. */
  readonly family?: Family
}

/** Milliseconds that IPv6 addresses are waited for when those of IPv4 are there (RFC 8305 section 3). */
const RESOLUTION_DELAY = 50

export class DnsClient {
  readonly counters = new DnsCounters()
  readonly #machine: Pick<Machine, 'abi' | 'timers'>
  readonly #hosts: Hosts
  readonly #families: () => readonly Family[]
  readonly #order: (addresses: readonly string[]) => readonly string[]
  readonly #cache: DnsCache
  readonly #environment: LookupEnvironment
  readonly #concurrency: number
  readonly #port: number
  /** Questions under way, by name and type; and those that wait until fewer are. */
  readonly #lookups = new Map<string, Lookup>()
  readonly #waiting: Lookup[] = []
  #running = 0
  #closed = false

  constructor(machine: Pick<Machine, 'abi' | 'timers'>, transport: DnsTransport, options: DnsOptions) {
    const { hosts = {}, families = () => [6, 4], order = found => [...found], cache, concurrency = 32, port = DNS_PORT } = options
    this.#machine = machine
    this.#hosts = new Hosts(hosts)
    this.#families = families
    this.#order = order
    this.#cache = new DnsCache({ ...defaultCacheLimits, ...cache })
    this.#concurrency = concurrency
    this.#port = port
    this.#environment = {
      timers: machine.timers,
      transport,
      counters: this.counters,
      random: into => machine.abi.random(into),
      servers: [],
    }
    this.configure(options.servers)
  }

  /** Bytes that the cache holds, about. */
  get cacheBytes(): number {
    return this.#cache.bytes
  }

  /** Other servers, as after a change of the network: what is known is forgotten, and questions under way are asked again. */
  configure(servers: readonly string[]): void {
    this.#environment.servers = servers.map(text => {
      const address = parseAddress(text)
      if (address === undefined)
        throw new DnsError('EBADNAME', text, `DNS server ${JSON.stringify(text)} is not an address: write it as 10.139.1.1`)
      return { address, port: this.#port, edns: true }
    })
    this.#cache.clear()
    for (const lookup of this.#lookups.values()) if (!this.#waiting.includes(lookup)) lookup.restart()
  }

  /** Servers come and go on the same network: what is known stays, and so do questions under way, as long as there is one server as before. */
  serversChanged(texts: readonly string[]): void {
    const servers = texts.map(text => parseAddress(text) ?? text)
    const before = this.#environment.servers
    const kept = new Map(before.filter(({ address }) => servers.includes(address)).map(server => [server.address, server]))
    if (kept.size === 0) {
      this.configure(servers)
      return
    }
    // The one that answered last stays the first.
    const others = servers.filter(address => !kept.has(address)).map(address => ({ address, port: this.#port, edns: true }))
    this.#environment.servers = [...kept.values(), ...others]
  }

  /** Forgets all answers, as after a suspend: the clock stood still meanwhile, their time did not. */
  clear(): void {
    this.#cache.clear()
  }

  /** Whoever waits gets a DnsError (ECANCELLED), also from now on. */
  close(): void {
    this.#closed = true
    this.#waiting.length = 0
    for (const [, lookup] of this.#lookups) lookup.fail(this.#cancelled(lookup.question.name))
    this.#lookups.clear()
    this.#cache.clear()
  }

  /**
   * The addresses of a name in the order to try them: the best first (RFC 6724), then both families in turn (RFC 8305). An address is its own answer. Rejects
   * with a DnsError.
   */
  async resolve(host: string, { family, signal }: ResolveOptions = {}): Promise<string[]> {
    signal?.throwIfAborted()
    const literal = parseAddress(host)
    if (literal !== undefined) return [literal]
    const name = parseHostName(host)
    let families = family === undefined ? this.#families() : [family]
    // The way to ourselves needs no network.
    if (families.length === 0 && this.#hosts.addresses(name) !== undefined) families = [6, 4]
    const wanted: RecordType[] = ([6, 4] as const).filter(each => families.includes(each)).map(each => (each === 6 ? 'AAAA' : 'A'))
    if (wanted.length === 0) throw new DnsError('ENOSERVER', name, `cannot resolve ${shown(name)}: there is no network (yet)`)
    const controller = new AbortController()
    const abort = (): void => controller.abort(signal?.reason)
    signal?.addEventListener('abort', abort, { once: true })
    try {
      const lookups = wanted.map(type => this.#addresses(name, type, controller.signal))
      return interleave(this.#order(await this.#both(lookups, signal)))
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }

  /** Records of one type behind all aliases. Rejects with a DnsError. */
  async lookup(host: string, type: RecordType, { signal }: LookupOptions = {}): Promise<readonly DnsRecord[]> {
    signal?.throwIfAborted()
    return this.#records(parseName(host), type, signal)
  }

  /** Servers of a service such as `_xmpp-client._tcp.example.org`, in the order to try them (RFC 2782). */
  async services(host: string, options?: LookupOptions): Promise<SrvData[]> {
    const name = parseName(host)
    const records = await this.lookup(name, 'SRV', options)
    const services = records.flatMap(record => (record.type === 'SRV' && record.target !== '' ? [record] : []))
    if (services.length === 0) throw new DnsError('ENODATA', name, `${shown(name)} is a service that its owner does not offer (RFC 2782)`)
    const order = orderServices(services, () => this.#random())
    return order.map(({ priority, weight, port, target }) => ({ priority, weight, port, target }))
  }

  /** The texts of a name, each in one piece. */
  async texts(host: string, options?: LookupOptions): Promise<string[]> {
    const records = await this.lookup(host, 'TXT', options)
    return records.flatMap(record => (record.type === 'TXT' ? [this.#text(record.strings)] : []))
  }

  /** The names of an address. Anybody can claim a name for his address: resolve it before you believe it. */
  async reverse(address: string, options?: LookupOptions): Promise<string[]> {
    const parsed = parseAddress(address)
    if (parsed === undefined)
      throw new DnsError('EBADNAME', address, `${JSON.stringify(address)} is not an address: write it as 10.137.0.16`)
    const own = this.#hosts.names(parsed)
    if (own.length > 0) return own
    const records = await this.lookup(reverseName(parsed), 'PTR', options)
    return records.flatMap(record => (record.type === 'PTR' ? [record.target] : []))
  }

  async #addresses(name: string, type: RecordType, signal: AbortSignal): Promise<string[]> {
    const records = await this.#records(name, type, signal)
    return [...new Set(records.flatMap(record => ('address' in record ? [record.address] : [])))]
  }

  /** Waits for the answers to AAAA and A; when A's is there, and good, for the other one only a moment. */
  async #both(lookups: readonly Promise<string[]>[], signal: AbortSignal | undefined): Promise<string[]> {
    const results: (string[] | DnsError | undefined)[] = lookups.map(() => undefined)
    const all = Promise.all(
      lookups.map((lookup, i) =>
        lookup.then(
          found => (results[i] = found),
          error => (results[i] = error),
        ),
      ),
    )
    if (lookups.length > 1) {
      const { timers } = this.#machine
      const moment = Promise.withResolvers<void>()
      let timer: Timer | undefined
      const first = (): void => {
        timer = timers.set(RESOLUTION_DELAY, moment.resolve)
      }
      lookups[1].then(first, () => {})
      await Promise.race([all, moment.promise])
      timer?.cancel()
    } else {
      await all
    }
    const found = results.flatMap(result => (Array.isArray(result) ? result : []))
    if (found.length > 0) return found
    signal?.throwIfAborted()
    // No address at all. A server's failure tells more than that there is no record of the other type.
    const errors = results.filter(result => result instanceof Error)
    throw errors.find(error => error.code !== 'ENODATA') ?? errors[0]
  }

  async #records(name: string, type: RecordType, signal: AbortSignal | undefined): Promise<readonly DnsRecord[]> {
    if (this.#closed) throw this.#cancelled(name)
    this.counters.lookups++
    const own = this.#hosts.addresses(name)
    if (own !== undefined) return ownRecords(name, type, own)
    const key = `${type} ${name}`
    const kept = this.#cache.get(key, this.#machine.timers.now())
    if (kept !== undefined) this.counters.cached++
    return unwrap(kept ?? (await this.#ask(key, name, type, signal)), name, type)
  }

  /** Joins an equal question that is under way, or begins one. */
  #ask(key: string, name: string, type: RecordType, signal: AbortSignal | undefined): Promise<Kept> {
    const shared = this.#lookups.get(key)
    if (shared !== undefined) {
      this.counters.shared++
      return shared.wait(signal)
    }
    const lookup = new Lookup(this.#environment, { name, type }, outcome => {
      if (outcome !== undefined) this.#cache.put(key, outcome, this.#machine.timers.now())
      this.#ended(key, lookup)
    })
    this.#lookups.set(key, lookup)
    const kept = lookup.wait(signal)
    if (this.#running < this.#concurrency) this.#start(lookup)
    else this.#waiting.push(lookup)
    return kept
  }

  #start(lookup: Lookup): void {
    this.#running++
    lookup.restart()
  }

  #ended(key: string, lookup: Lookup): void {
    if (this.#lookups.get(key) === lookup) this.#lookups.delete(key)
    const at = this.#waiting.indexOf(lookup)
    if (at >= 0) {
      this.#waiting.splice(at, 1)
      return
    }
    this.#running--
    const next = this.#waiting.shift()
    if (next !== undefined) this.#start(next)
  }

  #cancelled(name: string): DnsError {
    return new DnsError('ECANCELLED', name, `cannot resolve ${shown(name)}: the DNS client is closed`)
  }

  #text(strings: readonly Uint8Array[]): string {
    const bytes = new Uint8Array(strings.reduce((sum, string) => sum + string.length, 0))
    let at = 0
    for (const string of strings) {
      bytes.set(string, at)
      at += string.length
    }
    return decodeUtf8(this.#machine.abi, bytes, false)
  }

  #random(): number {
    const bytes = new Uint8Array(4)
    this.#machine.abi.random(bytes)
    return new DataView(bytes.buffer).getUint32(0) / 2 ** 32
  }
}

const shown = (name: string): string => (name === '' ? 'the root' : name)

function ownRecords(name: string, type: RecordType, addresses: readonly string[]): readonly DnsRecord[] {
  if (addresses.length === 0) {
    throw new DnsError('ENOTFOUND', name, `cannot resolve ${name}: such names are in no DNS (RFC 6761, RFC 7686); use another`)
  }
  const records = addresses
    .filter(address => type === (address.includes(':') ? 'AAAA' : 'A'))
    .map((address): DnsRecord => ({ name, ttl: 0, type: type as 'A', address }))
  if (records.length === 0)
    throw new DnsError('ENODATA', name, `${name} is a name of this host's own table, which has no ${type} record of it`)
  return records
}

const advice: Partial<Record<DnsErrorCode, string>> = {
  ENOTFOUND: 'there is no such name; check how it is written',
  ENODATA: 'the name exists, but has no such record',
}

function unwrap(kept: Kept, name: string, type: RecordType): readonly DnsRecord[] {
  if (kept.kind === 'records') return kept.records
  throw new DnsError(kept.code, name, `cannot resolve ${shown(name)} (${type}), says DNS server ${kept.server}: ${advice[kept.code]}`, [
    kept.server,
  ])
}
