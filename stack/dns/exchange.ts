/**
 * One question put to the servers until one answers. Each datagram has an id and a local port of its own, both random, and its answer is
 * believed only when it comes from where the question went, and repeats id and question (RFC 5452 section 9.1). That is over 30 bits to
 * guess. Mixing the case of letters (draft-vixie-dnsext-dns0x20) would add a bit for each letter, but needs a way back for the servers
 * that do not keep the case, which gives the bits away again: it is not done.
 */
import type { Timer, Timers } from '@xen-ts/runtime/machine'
import {
  BAD_VERSION,
  type DnsBody,
  type DnsHead,
  FORMAT_ERROR,
  NAME_ERROR,
  NO_ERROR,
  NOT_IMPLEMENTED,
  type Question,
  REFUSED,
  readBody,
  readHead,
  SERVER_FAILURE,
  writeQuestion,
} from '../wire/dns.ts'
import { DnsFormatError } from '../wire/dns-name.ts'
import type { DnsCounters } from './counters.ts'
import { askOverTcp } from './tcp.ts'
import type { DatagramSocket, DnsTransport } from './transport.ts'

/** Milliseconds until the next server is asked, in the first round; they double from round to round. */
const PATIENCE = 1_000
/** Every server is asked so often. The last time without EDNS: there are paths that swallow what they do not know. */
const ROUNDS = 3
const TCP_PATIENCE = 5_000

/** A server, and what was learnt about it. */
export interface Server {
  readonly address: string
  readonly port: number
  /** Whether it understands questions with EDNS, as far as known. */
  edns: boolean
}

export interface Failure {
  readonly code: 'ESERVFAIL' | 'EREFUSED' | 'ETIMEOUT'
  /** What the server did, to be read behind its address. */
  readonly what: string
}

export type Result =
  | { readonly kind: 'answer'; readonly body: DnsBody; readonly server: Server }
  | { readonly kind: 'failed'; readonly failures: ReadonlyMap<Server, Failure> }

export interface Environment {
  readonly timers: Timers
  readonly transport: DnsTransport
  readonly counters: DnsCounters
  readonly random: (into: Uint8Array) => void
}

interface Attempt {
  readonly server: Server
  readonly socket: DatagramSocket
  readonly id: number
  readonly edns: boolean
}

export class Exchange {
  readonly #environment: Environment
  readonly #question: Question
  readonly #servers: readonly Server[]
  readonly #done: (result: Result) => void
  /** Questions that may still be answered, each with its socket: a slow server is listened to while the next is asked. */
  readonly #attempts = new Set<Attempt>()
  readonly #failures = new Map<Server, Failure>()
  readonly #abort = new AbortController()
  #step = 0
  /** Whose answer is waited for before the next is asked. */
  #current: Server | undefined
  #timer: Timer | undefined
  #over = false

  /** Asks at once. Calls `done` once, later, unless `cancel` is called before. @param servers one at least, in the order to ask them */
  constructor(environment: Environment, question: Question, servers: readonly Server[], done: (result: Result) => void) {
    this.#environment = environment
    this.#question = question
    this.#servers = servers
    this.#done = done
    this.#timer = environment.timers.set(0, () => this.#next())
  }

  /** Gives up, and gives back timers, sockets and connections. */
  cancel(): void {
    this.#over = true
    this.#timer?.cancel()
    for (const attempt of this.#attempts) this.#drop(attempt)
    this.#abort.abort(new Error('nobody waits for the answer any more'))
  }

  #finish(result: Result): void {
    if (this.#over) return
    this.cancel()
    this.#done(result)
  }

  /** Asks the next server that has not failed yet, or ends when there is none. */
  #next(): void {
    const count = this.#servers.length
    this.#timer?.cancel()
    while (this.#step < ROUNDS * count) {
      const round = Math.floor(this.#step / count)
      const server = this.#servers[this.#step++ % count]
      if (this.#failures.has(server)) continue
      this.#current = server
      this.#timer = this.#environment.timers.set(PATIENCE << round, () => this.#next())
      this.#send(server, server.edns && round < ROUNDS - 1)
      return
    }
    for (const server of this.#servers) {
      if (this.#failures.has(server)) continue
      this.#environment.counters.timeouts++
      this.#failures.set(server, { code: 'ETIMEOUT', what: 'did not answer' })
    }
    this.#finish({ kind: 'failed', failures: this.#failures })
  }

  #fail(server: Server, code: Failure['code'], what: string): void {
    this.#failures.set(server, { code, what })
    for (const attempt of this.#attempts) if (attempt.server === server) this.#drop(attempt)
    if (server === this.#current) this.#next()
  }

  #send(server: Server, edns: boolean): void {
    const { transport, counters, random } = this.#environment
    const id = new Uint8Array(2)
    random(id)
    try {
      const attempt: Attempt = { server, socket: transport.open(server.address), id: (id[0] << 8) | id[1], edns }
      this.#attempts.add(attempt)
      attempt.socket.onReceive = (bytes, address, port) => this.#receive(attempt, bytes, address, port)
      attempt.socket.onError = error => this.#fail(server, 'ESERVFAIL', `cannot be reached (${error.message})`)
      counters.sent++
      attempt.socket.send(writeQuestion(attempt.id, this.#question, edns), server.address, server.port)
    } catch (error) {
      this.#fail(server, 'ESERVFAIL', `cannot be asked (${(error as Error).message})`)
    }
  }

  #drop(attempt: Attempt): void {
    this.#attempts.delete(attempt)
    attempt.socket.onReceive = attempt.socket.onError = undefined
    attempt.socket.close()
  }

  #receive(attempt: Attempt, bytes: Uint8Array, address: string, port: number): void {
    const { counters } = this.#environment
    const { server } = attempt
    if (address !== server.address || port !== server.port) {
      counters.foreign++
      return
    }
    let head: DnsHead
    try {
      head = readHead(bytes)
    } catch (error) {
      if (!(error instanceof DnsFormatError)) throw error
      counters.malformed++
      return
    }
    if (!answers(head, attempt.id, this.#question)) {
      counters.unasked++
      return
    }
    this.#drop(attempt)
    this.#judge(attempt, head, bytes)
  }

  /** The answer is the server's; now for what it says. */
  #judge({ server, edns, id }: Attempt, head: DnsHead, bytes: Uint8Array): void {
    if (head.truncated) {
      void this.#overTcp(server, id, edns)
      return
    }
    let body: DnsBody
    try {
      body = readBody(bytes, head)
    } catch (error) {
      if (!(error instanceof DnsFormatError)) throw error
      this.#environment.counters.malformed++
      this.#fail(server, 'ESERVFAIL', `sent a broken answer (${error.message})`)
      return
    }
    const { code } = body
    if (code === NO_ERROR || code === NAME_ERROR) {
      this.#finish({ kind: 'answer', body, server })
      return
    }
    // RFC 6891 sections 6.2.2 and 7: it may be EDNS that it does not know. A server that sends OPT itself knows it.
    const unknown = code === FORMAT_ERROR || code === NOT_IMPLEMENTED || code === BAD_VERSION
    if (edns && (unknown || (code === SERVER_FAILURE && !body.edns))) {
      if (unknown) server.edns = false
      this.#send(server, false)
      return
    }
    this.#fail(server, code === REFUSED ? 'EREFUSED' : 'ESERVFAIL', reasons[code] ?? `answered with code ${code}`)
  }

  async #overTcp(server: Server, id: number, edns: boolean): Promise<void> {
    this.#environment.counters.overTcp++
    this.#timer?.cancel() // it is there, and has the answer
    this.#current = server
    const question = writeQuestion(id, this.#question, edns)
    let bytes: Uint8Array
    let head: DnsHead
    try {
      bytes = await askOverTcp(this.#environment, server, question, TCP_PATIENCE, this.#abort.signal)
      head = readHead(bytes)
    } catch (error) {
      if (!this.#over) this.#fail(server, 'ESERVFAIL', `has a longer answer, but not over TCP (${(error as Error).message})`)
      return
    }
    if (this.#over) return
    if (head.truncated || !answers(head, id, this.#question)) {
      this.#environment.counters.unasked++
      this.#fail(server, 'ESERVFAIL', 'answered another question over TCP')
    } else {
      this.#judge({ server, edns, id } as Attempt, head, bytes)
    }
  }
}

const reasons: Record<number, string> = {
  [FORMAT_ERROR]: 'does not understand the question',
  [SERVER_FAILURE]: 'failed',
  [NOT_IMPLEMENTED]: 'does not know such questions',
  [REFUSED]: 'refused',
}

/** Whether this is the answer to our question. One that is not understood may come back without it (RFC 6891 section 7). */
function answers({ response, id, operation, question, questions, code }: DnsHead, ownId: number, own: Question): boolean {
  if (!response || id !== ownId || operation !== 0) return false
  if (questions === 0) return code === FORMAT_ERROR
  return question !== undefined && question.name === own.name && question.type === own.type
}
