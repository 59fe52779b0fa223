/** What servers said, for as long as they said it holds. Bounded in entries and bytes: what was not used for longest goes first. */
import type { DnsRecord } from '../wire/dns.ts'
import type { Outcome } from './answer.ts'

/** `server`: who said that there is nothing. */
export type Kept = Extract<Outcome, { kind: 'records' }> | (Extract<Outcome, { kind: 'negative' }> & { readonly server: string })

export interface CacheLimits {
  readonly entries: number
  /** About so many, counted by what the records hold. */
  readonly bytes: number
}

export const defaultCacheLimits: CacheLimits = { entries: 256, bytes: 64 * 1024 }

interface Entry {
  readonly outcome: Kept
  /** Monotonic milliseconds. */
  readonly until: number
  readonly bytes: number
}

/** What an entry and a record take beside their texts. */
const ENTRY_BYTES = 100
const RECORD_BYTES = 80

export class DnsCache {
  readonly #limits: CacheLimits
  /** In the order of their last use. */
  readonly #entries = new Map<string, Entry>()
  #bytes = 0

  constructor(limits: CacheLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#entries.size
  }

  get bytes(): number {
    return this.#bytes
  }

  get(key: string, now: number): Kept | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    this.#entries.delete(key)
    if (entry.until <= now) {
      this.#bytes -= entry.bytes
      return undefined
    }
    this.#entries.set(key, entry)
    return entry.outcome
  }

  /** Keeps what may be kept; an answer that would take more than a quarter of the room is not. */
  put(key: string, outcome: Kept, now: number): void {
    this.delete(key)
    const bytes =
      ENTRY_BYTES + key.length + (outcome.kind === 'records' ? outcome.records.reduce((sum, record) => sum + size(record), 0) : 0)
    if (outcome.ttl <= 0 || bytes > this.#limits.bytes / 4) return
    this.#entries.set(key, { outcome, until: now + outcome.ttl * 1000, bytes })
    this.#bytes += bytes
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#limits.entries && this.#bytes <= this.#limits.bytes) break
      this.delete(oldest)
    }
  }

  delete(key: string): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    this.#entries.delete(key)
    this.#bytes -= entry.bytes
  }

  clear(): void {
    this.#entries.clear()
    this.#bytes = 0
  }
}

function size(record: DnsRecord): number {
  const { name } = record
  const data =
    record.type === 'TXT'
      ? record.strings.reduce((sum, string) => sum + string.length + RECORD_BYTES, 0)
      : 'target' in record
        ? record.target.length
        : 'address' in record
          ? record.address.length
          : 0
  return RECORD_BYTES + name.length + data
}
