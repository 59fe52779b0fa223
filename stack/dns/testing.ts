/** For tests: messages as servers write them, and a network in memory with servers on it. */
import { parseIpv6 } from '@xen-ts/runtime/web'
import type { World } from '../testing/world.ts'
import { type Question, readHead, types } from '../wire/dns.ts'
import { writeName } from '../wire/dns-name.ts'
import { DnsClient, type DnsOptions } from './client.ts'
import { familyOf } from './name.ts'
import type { ByteStream, DatagramSocket, DnsTransport } from './transport.ts'

export interface RecordSpec {
  readonly name: string
  readonly type: number
  readonly ttl?: number
  readonly class?: number
  /** Bytes, and names that may be compressed. */
  readonly data: readonly (Uint8Array | string)[]
}

const be16 = (...values: number[]): Uint8Array => Uint8Array.from(values.flatMap(value => [value >>> 8, value & 255]))
const be32 = (...values: number[]): Uint8Array => be16(...values.flatMap(value => [value >>> 16, value & 0xffff]))

export function addressBytes(address: string): Uint8Array {
  if (familyOf(address) === 4) return Uint8Array.from(address.split('.').map(Number))
  return be16(...(parseIpv6(address) as number[]))
}

export const address = (name: string, to: string, ttl = 300): RecordSpec => ({
  name,
  type: familyOf(to) === 4 ? types.A : types.AAAA,
  ttl,
  data: [addressBytes(to)],
})
export const alias = (name: string, target: string, ttl = 300): RecordSpec => ({ name, type: types.CNAME, ttl, data: [target] })
export const pointer = (name: string, target: string, ttl = 300): RecordSpec => ({ name, type: types.PTR, ttl, data: [target] })
export const text = (name: string, ...strings: string[]): RecordSpec => ({
  name,
  type: types.TXT,
  ttl: 300,
  data: strings.flatMap(string => {
    const bytes = new TextEncoder().encode(string)
    return [Uint8Array.of(bytes.length), bytes]
  }),
})
export const service = (name: string, priority: number, weight: number, port: number, target: string): RecordSpec => ({
  name,
  type: types.SRV,
  ttl: 300,
  data: [be16(priority, weight, port), target],
})
export const authority = (zone: string, minimum = 60, ttl = 3600): RecordSpec => ({
  name: zone,
  type: types.SOA,
  ttl,
  data: ['ns', 'hostmaster', be32(1, 7200, 900, 86400, minimum)],
})

export interface ReplySpec {
  readonly id?: number
  /** `null`: none. */
  readonly question?: { readonly name: string; readonly type: number; readonly class?: number } | null
  readonly flags?: number
  readonly code?: number
  readonly answers?: readonly RecordSpec[]
  readonly authority?: readonly RecordSpec[]
  readonly additional?: readonly RecordSpec[]
  readonly edns?: boolean
  readonly compress?: boolean
}

export const TRUNCATED = 0x0200
export const OPERATION_STATUS = 0x1000
/** Flags of an answer from a recursive server. */
export const RESPONSE = 0x8180

/** Writes an answer: names are compressed wherever they can be. */
export function writeReply(spec: ReplySpec): Uint8Array {
  const { id = 0, question = null, flags = 0, code = 0, answers = [], authority = [], edns = false, compress = true } = spec
  const opt: RecordSpec[] = edns ? [{ name: '', type: 41, class: 1232, ttl: (code >>> 4) << 24, data: [] }] : []
  const additional = [...(spec.additional ?? []), ...opt]
  const bytes = new Uint8Array(65_535)
  const known = new Map<string, number>()
  let at = 12
  const name = (whole: string): void => {
    const labels = whole === '' ? [] : whole.split('.')
    for (let i = 0; i < labels.length; i++) {
      const rest = labels.slice(i).join('.')
      const target = known.get(rest)
      if (compress && target !== undefined) {
        bytes.set(be16(0xc000 | target), at)
        at += 2
        return
      }
      if (at < 0x4000) known.set(rest, at)
      at = writeName(bytes, at, labels[i]) - 1
    }
    bytes[at++] = 0
  }
  bytes.set(be16(id, RESPONSE | flags | (code & 15), question === null ? 0 : 1, answers.length, authority.length, additional.length))
  if (question !== null) {
    name(question.name)
    bytes.set(be16(question.type, question.class ?? 1), at)
    at += 4
  }
  for (const record of [...answers, ...authority, ...additional]) {
    name(record.name)
    bytes.set(be16(record.type, record.class ?? 1), at)
    bytes.set(be32(record.ttl ?? 0), at + 4)
    at += 10
    const start = at
    for (const part of record.data) {
      if (typeof part === 'string') {
        name(part)
      } else {
        bytes.set(part, at)
        at += part.length
      }
    }
    bytes.set(be16(at - start), start - 2)
  }
  return bytes.slice(0, at)
}

export interface Asked extends Question {
  readonly id: number
  readonly edns: boolean
  readonly tcp: boolean
  readonly bytes: Uint8Array
  readonly localPort: number
  /** An answer to this, as it should be but for what `spec` says. */
  reply(spec: ReplySpec): Uint8Array
}

/** One datagram of a server; from where it says, or from the server itself; after `delay` milliseconds beyond the wire's. */
export interface Sent {
  readonly bytes: Uint8Array
  readonly from?: string
  readonly port?: number
  readonly delay?: number
}

/**
 * What a server sends for a question: messages with where and when they come from. Over TCP the bytes go as they are, in one stream. An
 * Error is what the network says of it (ICMP).
 */
export type FakeServer = (asked: Asked) => readonly (Uint8Array | Sent)[] | Error

export function readAsked(bytes: Uint8Array, tcp: boolean, localPort: number): Asked {
  const { id, question } = readHead(bytes)
  const { name, type } = question!
  const reply = (spec: ReplySpec): Uint8Array => writeReply({ id, question: { name, type: types[type] }, ...spec })
  return { id, name, type, edns: bytes[11] === 1, tcp, bytes: bytes.slice(), localPort, reply }
}

/** A server that knows what a table says, `name` to records, and that no other name exists. */
export function tableServer(table: Record<string, readonly RecordSpec[]>, zone = 'example.org'): FakeServer {
  return asked => {
    const found = table[asked.name]
    if (found === undefined) return [asked.reply({ code: 3, authority: [authority(zone)] })]
    const answers: RecordSpec[] = []
    for (let name: string | undefined = asked.name; name !== undefined && answers.length < 20; ) {
      const here: readonly RecordSpec[] = (table[name] ?? []).filter(each => each.type === types[asked.type] || each.type === types.CNAME)
      answers.push(...here)
      const next = here.find(each => each.type === types.CNAME)?.data[0]
      name = typeof next === 'string' ? next : undefined
    }
    return [asked.reply({ answers, authority: answers.length === 0 ? [authority(zone)] : [], edns: asked.edns })]
  }
}

export class FakeNetwork implements DnsTransport {
  readonly #world: World
  readonly servers = new Map<string, FakeServer>()
  readonly asked: (Asked & { server: string; at: number })[] = []
  /** Sockets and connections that are open. */
  opened = 0
  /** Thrown by `open`, as when there is no network. */
  broken: Error | undefined
  #ports = 40_000

  constructor(world: World) {
    this.#world = world
  }

  open(): DatagramSocket {
    if (this.broken) throw this.broken
    const localPort = this.#ports++
    let closed = false
    this.opened++
    const socket: DatagramSocket = {
      onReceive: undefined,
      onError: undefined,
      send: (bytes, server, port) => {
        const sent = this.#ask(bytes, server, false, localPort)
        if (sent instanceof Error) this.#world.at(10, () => socket.onError?.(sent))
        for (const { bytes: answer, from = server, port: fromPort = port, delay = 0 } of list(sent)) {
          this.#world.at(10 + delay, () => {
            if (closed) return
            const passing = answer.slice()
            socket.onReceive?.(passing, from, fromPort)
            passing.fill(0xa5) // valid during the call only
          })
        }
      },
      close: () => {
        if (closed) throw new Error('closed twice')
        closed = true
        this.opened--
      },
    }
    return socket
  }

  async connect(server: string, _port: number, signal: AbortSignal): Promise<ByteStream> {
    const established = Promise.withResolvers<void>()
    if (this.servers.get(server) === undefined) signal.addEventListener('abort', () => established.reject(signal.reason), { once: true })
    else this.#world.at(10, () => established.resolve())
    await established.promise
    this.opened++
    const parts: Uint8Array[] = []
    let wake: (() => void) | undefined
    let ended = false
    return {
      write: async bytes => {
        for (const { bytes: part, delay = 0 } of list(this.#ask(bytes.slice(2), server, true, 0))) {
          this.#world.at(10 + delay, () => {
            if (part.length === 0) ended = true
            else parts.push(part)
            wake?.()
          })
        }
      },
      read: async () => {
        while (parts.length === 0 && !ended) await new Promise<void>(resolve => (wake = resolve))
        return parts.shift()
      },
      [Symbol.dispose]: () => {
        this.opened--
      },
    }
  }

  #ask(bytes: Uint8Array, server: string, tcp: boolean, localPort: number): ReturnType<FakeServer> {
    const asked = readAsked(bytes, tcp, localPort)
    this.asked.push({ ...asked, server, at: this.#world.now })
    return this.servers.get(server)?.(asked) ?? []
  }
}

const list = (sent: ReturnType<FakeServer>): readonly Sent[] =>
  sent instanceof Error ? [] : sent.map(each => (each instanceof Uint8Array ? { bytes: each } : each))

/** Over TCP: a message behind its length. */
export const framed = (message: Uint8Array): Uint8Array => Uint8Array.from([message.length >>> 8, message.length & 255, ...message])

export const FIRST = '10.139.1.1'
export const SECOND = '10.139.1.2'

export interface Site {
  readonly network: FakeNetwork
  readonly client: DnsClient
  /** Runs the world until `work` is settled. */
  run<T>(work: Promise<T>): Promise<T>
}

export function site(world: World, server: FakeServer, options: Partial<DnsOptions> = {}): Site {
  const network = new FakeNetwork(world)
  network.servers.set(FIRST, server)
  const client = new DnsClient(world.machine('guest'), network, { servers: [FIRST], ...options })
  return {
    network,
    client,
    async run(work) {
      let settled = false
      const done = (): void => {
        settled = true
      }
      work.then(done, done)
      await world.run(600_000, () => settled)
      if (!settled) throw new Error('nothing is left to happen, and the promise is pending')
      return work
    },
  }
}
