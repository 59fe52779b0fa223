/** What an answer says about the question. Only the records that the question leads to are believed; whatever else is in it is not looked at. */
import { type DnsBody, type DnsRecord, NAME_ERROR, type Question } from '../wire/dns.ts'

/** Seconds that an answer may be kept whatever its records say, and a negative one (RFC 2308 section 5 advises one to three hours). */
const LONGEST_TTL = 86_400
const LONGEST_NEGATIVE_TTL = 3_600
/** Aliases that may lead from a name to its records. */
export const MOST_ALIASES = 8

export type Outcome =
  /** `ttl` in seconds; 0: not to be kept. */
  | { readonly kind: 'records'; readonly records: readonly DnsRecord[]; readonly ttl: number }
  | { readonly kind: 'negative'; readonly code: 'ENOTFOUND' | 'ENODATA'; readonly ttl: number }
  /** The name is another's alias, of which the answer says nothing: that one has to be asked for. */
  | { readonly kind: 'alias'; readonly target: string; readonly aliases: number; readonly ttl: number }
  | { readonly kind: 'wrong'; readonly reason: string }

export function interpret({ name, type }: Question, { answers, authority, code }: DnsBody): Outcome {
  let at = name
  let ttl = LONGEST_TTL
  let aliases = 0
  for (;;) {
    const records = code === NAME_ERROR ? [] : answers.filter(record => record.name === at && record.type === type)
    if (records.length > 0) return { kind: 'records', records, ttl: records.reduce((least, record) => Math.min(least, record.ttl), ttl) }
    const alias = answers.find(record => record.name === at && record.type === 'CNAME')
    if (alias?.type !== 'CNAME') break
    if (++aliases > MOST_ALIASES) return { kind: 'wrong', reason: `${name} leads through more than ${MOST_ALIASES} aliases` }
    at = alias.target
    ttl = Math.min(ttl, alias.ttl)
  }
  // RFC 2308 section 5: without the zone's SOA a negative answer is not kept. The zone must be one that the name is in.
  const soa = authority.find(record => record.type === 'SOA' && isWithin(at, record.name))
  if (code !== NAME_ERROR && aliases > 0 && soa === undefined) return { kind: 'alias', target: at, aliases, ttl }
  const kept = soa?.type === 'SOA' ? Math.min(ttl, soa.ttl, soa.minimum, LONGEST_NEGATIVE_TTL) : 0
  return { kind: 'negative', code: code === NAME_ERROR ? 'ENOTFOUND' : 'ENODATA', ttl: kept }
}

const isWithin = (name: string, zone: string): boolean => zone === '' || name === zone || name.endsWith(`.${zone}`)
