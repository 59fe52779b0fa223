/** A question under way, for everybody who asks it: from alias to alias until there are records, or it is known that there are none. */
import type { Question } from '../wire/dns.ts'
import { interpret, MOST_ALIASES } from './answer.ts'
import type { Kept } from './cache.ts'
import { DnsError } from './error.ts'
import { type Environment, Exchange, type Failure, type Result, type Server } from './exchange.ts'

export interface LookupEnvironment extends Environment {
  /** In the order to ask them; who answers moves to the front. */
  servers: Server[]
}

interface Waiter {
  resolve(kept: Kept): void
  reject(error: unknown): void
}

export class Lookup {
  readonly question: Question
  readonly #environment: LookupEnvironment
  readonly #ended: (kept: Kept | undefined) => void
  readonly #waiters = new Set<Waiter>()
  #exchange: Exchange | undefined
  #aliases = 0
  #ttl = Infinity
  #over = false

  /** @param ended called once, before those who wait hear of it, with what may be kept */
  constructor(environment: LookupEnvironment, question: Question, ended: (kept: Kept | undefined) => void) {
    this.question = question
    this.#environment = environment
    this.#ended = ended
  }

  /** Asks, or asks again from the beginning. */
  restart(): void {
    this.#aliases = 0
    this.#ttl = Infinity
    this.#ask(this.question)
  }

  /** When nobody waits any more the question is given up. */
  wait(signal: AbortSignal | undefined): Promise<Kept> {
    const { promise, resolve, reject } = Promise.withResolvers<Kept>()
    const waiter: Waiter = { resolve, reject }
    this.#waiters.add(waiter)
    if (signal === undefined) return promise
    const abort = (): void => {
      this.#waiters.delete(waiter)
      reject(signal.reason)
      if (this.#waiters.size === 0) this.#end(undefined)
    }
    signal.addEventListener('abort', abort, { once: true })
    const quiet = (): void => signal.removeEventListener('abort', abort)
    promise.then(quiet, quiet)
    return promise
  }

  fail(error: DnsError): void {
    const waiters = [...this.#waiters]
    this.#waiters.clear()
    this.#end(undefined)
    for (const { reject } of waiters) reject(error)
  }

  #end(kept: Kept | undefined): void {
    if (this.#over) return
    this.#over = true
    this.#exchange?.cancel()
    this.#ended(kept)
  }

  #ask(question: Question): void {
    const { servers } = this.#environment
    this.#exchange?.cancel()
    this.#exchange = undefined
    if (servers.length === 0) {
      const { name } = this.question
      this.fail(new DnsError('ENOSERVER', name, `cannot resolve ${name}: no DNS server is configured; give the stack one`))
      return
    }
    this.#exchange = new Exchange(this.#environment, question, [...servers], result => this.#result(question, result))
  }

  #result(question: Question, result: Result): void {
    if (result.kind === 'failed') {
      this.fail(this.#failure(result.failures))
      return
    }
    const { server } = result
    this.#prefer(server)
    const outcome = interpret(question, result.body)
    if (outcome.kind === 'wrong') return this.#wrong(server, outcome.reason)
    const ttl = Math.min(this.#ttl, outcome.ttl)
    if (outcome.kind === 'alias') {
      this.#aliases += outcome.aliases
      this.#ttl = ttl
      if (this.#aliases > MOST_ALIASES) this.#wrong(server, `it leads through more than ${MOST_ALIASES} aliases`)
      else this.#ask({ name: outcome.target, type: question.type })
      return
    }
    this.#succeed(outcome.kind === 'records' ? { ...outcome, ttl } : { ...outcome, ttl, server: server.address })
  }

  #succeed(kept: Kept): void {
    const waiters = [...this.#waiters]
    this.#end(kept)
    for (const { resolve } of waiters) resolve(kept)
  }

  #wrong(server: Server, reason: string): void {
    this.fail(this.#failure(new Map([[server, { code: 'ESERVFAIL', what: `sent a wrong answer (${reason})` } as const]])))
  }

  #prefer(server: Server): void {
    const { servers } = this.#environment
    const at = servers.indexOf(server)
    if (at > 0) servers.unshift(...servers.splice(at, 1))
  }

  /** What somebody said tells more than that another said nothing. */
  #failure(failures: ReadonlyMap<Server, Failure>): DnsError {
    const { name, type } = this.question
    const codes = [...failures.values()].map(failure => failure.code)
    const code = (['EREFUSED', 'ESERVFAIL', 'ETIMEOUT'] as const).find(each => codes.includes(each))!
    const told = [...failures].map(([{ address }, { what }]) => `DNS server ${address} ${what}`).join(', ')
    const remedy = code === 'ETIMEOUT' ? 'check that it can be reached from here' : 'try again later, or use another server'
    const servers = [...failures.keys()].map(({ address }) => address)
    return new DnsError(code, name, `cannot resolve ${name === '' ? 'the root' : name} (${type}): ${told}; ${remedy}`, servers)
  }
}
