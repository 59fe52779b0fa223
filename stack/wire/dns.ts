/** Messages of the DNS (RFC 1035 section 4): questions are written, answers read. */
import { formatIpv6 } from '@xen-ts/runtime/web'
import { DnsFormatError, readName, writeName } from './dns-name.ts'
import { formatIpv4 } from './ipv4-address.ts'

export const DNS_PORT = 53
export const DNS_HEADER = 12

/** Types of records (RFC 1035, 2782, 3596), by their usual names. */
export const types = { A: 1, CNAME: 5, SOA: 6, PTR: 12, TXT: 16, AAAA: 28, SRV: 33 } as const
export type RecordType = keyof typeof types
const OPT = 41
const CLASS_IN = 1

/** Answer codes (RFC 1035 section 4.1.1; 16 is RFC 6891's). */
export const NO_ERROR = 0
export const FORMAT_ERROR = 1
export const SERVER_FAILURE = 2
export const NAME_ERROR = 3
export const NOT_IMPLEMENTED = 4
export const REFUSED = 5
export const BAD_VERSION = 16

/** What is said to be taken over UDP: fits every path's packets without fragments (RFC 6891 section 6.2.5 asks for such a choice). */
export const EDNS_BYTES = 1232

/** Records that one answer may have: more are an attempt to keep us busy. */
const MOST_RECORDS = 512

export interface Question {
  /** In its one form, see dns-name.ts. */
  readonly name: string
  readonly type: RecordType
}

export interface SrvData {
  readonly priority: number
  readonly weight: number
  readonly port: number
  /** Empty: the service does not exist here (RFC 2782). */
  readonly target: string
}

/** A record of class IN; `ttl` in seconds. */
export type DnsRecord = { readonly name: string; readonly ttl: number } & (
  | { readonly type: 'A' | 'AAAA'; readonly address: string }
  | { readonly type: 'CNAME' | 'PTR'; readonly target: string }
  | ({ readonly type: 'SRV' } & SrvData)
  | { readonly type: 'TXT'; readonly strings: readonly Uint8Array[] }
  /** `minimum`: how long a negative answer may be kept, in seconds (RFC 2308 section 4). */
  | { readonly type: 'SOA'; readonly minimum: number }
)

/** A question with recursion desired. @param edns adds an OPT record (RFC 6891) */
export function writeQuestion(id: number, { name, type }: Question, edns: boolean): Uint8Array {
  const bytes = new Uint8Array(DNS_HEADER + 255 + 4 + 11)
  put16(bytes, 0, id)
  bytes[2] = 0x01 // recursion desired
  bytes[5] = 1
  let at = writeName(bytes, DNS_HEADER, name)
  put16(bytes, at, types[type])
  put16(bytes, at + 2, CLASS_IN)
  at += 4
  if (edns) {
    bytes[11] = 1
    bytes[at] = 0 // the root
    put16(bytes, at + 1, OPT)
    put16(bytes, at + 3, EDNS_BYTES)
    at += 11 // extended code, version, flags and length of the options: all 0
  }
  return bytes.slice(0, at)
}

/** Beginning of a message: what says whether it is the answer to our question. */
export interface DnsHead {
  readonly id: number
  readonly response: boolean
  readonly operation: number
  readonly truncated: boolean
  /** The lower four bits; see DnsBody. */
  readonly code: number
  /** Undefined when there is not exactly one of class IN and a type that we ask for. */
  readonly question: Question | undefined
  /** How many questions it has. */
  readonly questions: number
  /** Where the records begin. */
  readonly end: number
}

const typeNames = new Map<number, RecordType>(Object.entries(types).map(([name, code]) => [code, name as RecordType]))

/** Throws a DnsFormatError. */
export function readHead(message: Uint8Array): DnsHead {
  if (message.length < DNS_HEADER) throw new DnsFormatError(`a message of ${message.length} bytes: the header has ${DNS_HEADER}`)
  const questions = get16(message, 4)
  let question: Question | undefined
  let end = DNS_HEADER
  if (questions === 1) {
    const { name, next } = readName(message, DNS_HEADER)
    if (next + 4 > message.length) throw new DnsFormatError('the question runs over the end of the message')
    const type = typeNames.get(get16(message, next))
    if (type !== undefined && get16(message, next + 2) === CLASS_IN) question = { name, type }
    end = next + 4
  }
  return {
    id: get16(message, 0),
    response: (message[2] & 0x80) !== 0,
    operation: (message[2] >>> 3) & 15,
    truncated: (message[2] & 0x02) !== 0,
    code: message[3] & 15,
    question,
    questions,
    end,
  }
}

export interface DnsBody {
  readonly answers: readonly DnsRecord[]
  readonly authority: readonly DnsRecord[]
  /** Whether the server knows EDNS: there is an OPT record. */
  readonly edns: boolean
  /** With the upper bits that OPT has. */
  readonly code: number
}

/** Reads the records of a message whose head is `head`. Throws a DnsFormatError. Of the additional ones only OPT is looked at. */
export function readBody(message: Uint8Array, head: DnsHead): DnsBody {
  const counts = [get16(message, 6), get16(message, 8), get16(message, 10)]
  if (counts[0] + counts[1] + counts[2] > MOST_RECORDS) throw new DnsFormatError(`a message of more than ${MOST_RECORDS} records`)
  const sections: DnsRecord[][] = [[], [], []]
  let at = head.end
  let edns = false
  let { code } = head
  for (let section = 0; section < 3; section++) {
    for (let i = 0; i < counts[section]; i++) {
      const { name, next } = readName(message, at)
      const data = next + 10
      if (data > message.length) throw new DnsFormatError(`the record at byte ${at} runs over the end of the message`)
      const end = data + get16(message, next + 8)
      if (end > message.length) throw new DnsFormatError(`the data of the record at byte ${at} run over the end of the message`)
      const type = get16(message, next)
      if (section === 2 && type === OPT) {
        if (edns || name !== '') throw new DnsFormatError(`the OPT record at byte ${at} is not the only one, or has a name`)
        edns = true
        code |= message[next + 4] << 4
      } else if (section < 2 && get16(message, next + 2) === CLASS_IN) {
        // A time to live with its highest bit set is 0 (RFC 2181 section 8).
        const ttl = (message[next + 4] & 0x80) !== 0 ? 0 : get32(message, next + 4)
        const record = readData(message, name, ttl, type, data, end)
        if (record !== undefined) sections[section].push(record)
      }
      at = end
    }
  }
  return { answers: sections[0], authority: sections[1], edns, code }
}

/** Undefined for types that nobody asks for. Whatever the data hold must fill them exactly. */
function readData(message: Uint8Array, name: string, ttl: number, code: number, at: number, end: number): DnsRecord | undefined {
  const type = typeNames.get(code)
  switch (type) {
    case 'A':
      fills(type, at + 4, end)
      return {
        name,
        ttl,
        type,
        address: formatIpv4(message[at] | (message[at + 1] << 8) | (message[at + 2] << 16) | (message[at + 3] << 24)),
      }
    case 'AAAA':
      fills(type, at + 16, end)
      return { name, ttl, type, address: readIpv6(message, at) }
    case 'CNAME':
    case 'PTR': {
      const target = readName(message, at)
      fills(type, target.next, end)
      return { name, ttl, type, target: target.name }
    }
    case 'SRV': {
      if (at + 7 > end) fills(type, at + 7, end)
      const target = readName(message, at + 6)
      fills(type, target.next, end)
      const [priority, weight, port] = [0, 2, 4].map(offset => get16(message, at + offset))
      return { name, ttl, type, priority, weight, port, target: target.name }
    }
    case 'TXT':
      return { name, ttl, type, strings: readStrings(message, at, end) }
    case 'SOA': {
      const numbers = readName(message, readName(message, at).next).next
      fills(type, numbers + 20, end)
      return { name, ttl, type, minimum: (message[numbers + 16] & 0x80) !== 0 ? 0 : get32(message, numbers + 16) }
    }
    default:
      return undefined
  }
}

function fills(type: RecordType, at: number, end: number): void {
  if (at !== end) throw new DnsFormatError(`the data of the ${type} record that ends at byte ${end} are too long or too short`)
}

function readStrings(message: Uint8Array, at: number, end: number): Uint8Array[] {
  const strings: Uint8Array[] = []
  while (at < end) {
    const next = at + 1 + message[at]
    if (next > end) fills('TXT', next, end)
    strings.push(message.slice(at + 1, next))
    at = next
  }
  return strings
}

function readIpv6(message: Uint8Array, at: number): string {
  return formatIpv6([0, 2, 4, 6, 8, 10, 12, 14].map(offset => get16(message, at + offset)))
}

const get16 = (bytes: Uint8Array, at: number): number => (bytes[at] << 8) | bytes[at + 1]
const get32 = (bytes: Uint8Array, at: number): number => ((get16(bytes, at) << 16) | get16(bytes, at + 2)) >>> 0

function put16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8
  bytes[at + 1] = value
}
