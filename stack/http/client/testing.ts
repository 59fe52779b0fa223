/** For tests: a client in a simulated world, and servers that say what the test wants, byte by byte. */
import type { TcpStream } from '../../tcp/stream.ts'
import { type Pair, pair } from '../../testing/pair.ts'
import { type HttpHandler, httpServer, type ServeOptions } from '../server/server.ts'
import { type HttpClient, httpClient } from './client.ts'
import type { HttpClientLimits } from './options.ts'

export const latin1 = (text: string): Uint8Array => Uint8Array.from(text, character => character.charCodeAt(0))
export const textOf = (bytes: Uint8Array): string => Array.from(bytes, byte => String.fromCharCode(byte)).join('')

/** One connection as the server of a test sees it. */
export interface Seen {
  readonly connection: TcpStream
  /** What the client has sent so far, one character a byte. */
  text: string
  /** The client has ended its side, or broken the connection. */
  state: 'open' | 'ended' | 'broken'
}

export interface Fetching extends Pair {
  readonly machine: ReturnType<Pair['world']['machine']>
  readonly web: HttpClient
  /** Waits for a promise while the world goes on, `seconds` at most. */
  run<T>(promise: Promise<T>, seconds?: number): Promise<T>
  /** Lets the world go on. */
  pass(seconds: number): Promise<boolean>
  /** Calls `accept` for each connection to a port of 10.0.0.2, and notes what comes. */
  raw(accept: (seen: Seen) => void, options?: { port?: number; reads?: boolean }): Seen[]
  /** Answers the requests of all connections (those without bodies) with these texts, in their order; beyond the last with nothing. */
  answers(texts: readonly string[], options?: { port?: number; close?: boolean; split?: boolean }): Seen[]
  /** Our own server. Returns what stops it. */
  serve(handler: HttpHandler, options?: Partial<ServeOptions>): () => Promise<void>
}

export function fetching(limits?: Partial<HttpClientLimits>, conditions?: Parameters<typeof pair>[1]): Fetching {
  const p = pair(11, conditions)
  const machine = p.world.machine('client')
  const world: Fetching = {
    ...p,
    machine,
    web: httpClient(machine, p.client.tcp, limits),
    async run(promise, seconds = 200) {
      let isOver = false
      const over = (): void => {
        isOver = true
      }
      promise.then(over, over)
      if (!(await p.world.run(seconds * 1000, () => isOver)) || !isOver) throw new Error(`nothing came of it within ${seconds} s`)
      return promise
    },
    pass: seconds => p.world.run(seconds * 1000),
    raw(accept, { port = 80, reads = true } = {}) {
      const all: Seen[] = []
      void p.server.tcp.listen({ port, keepAlive: Infinity }, connection => {
        const seen: Seen = { connection, text: '', state: 'open' }
        all.push(seen)
        accept(seen)
        if (reads) void drain(seen)
        connection.closed.catch(() => {
          seen.state = 'broken'
        })
      })
      return all
    },
    answers(texts, { port, close = false, split = false } = {}) {
      let next = 0
      return world.raw(
        seen => {
          let answered = 0
          const { connection } = seen
          onText(seen, () => {
            for (; answered < seen.text.split('\r\n\r\n').length - 1; answered++) {
              const bytes = latin1(texts[next++] ?? '')
              if (split) for (let i = 0; i < bytes.length; i++) p.world.at(i, () => void write(connection, bytes.subarray(i, i + 1)))
              else if (bytes.length > 0) void write(connection, bytes)
              if (close) p.world.at(split ? bytes.length + 1 : 0, () => connection.end())
            }
          })
        },
        { port },
      )
    },
    serve(handler, options = {}) {
      const stop = new AbortController()
      const stopped = httpServer(p.world.machine('server'), p.server.tcp).serve({ port: 80, signal: stop.signal, ...options }, handler)
      return () => {
        stop.abort()
        return world.run(stopped)
      }
    },
  }
  return world
}

const listeners = new WeakMap<Seen, () => void>()
/** Calls `listener` whenever more text has come. */
export const onText = (seen: Seen, listener: () => void): void => void listeners.set(seen, listener)

export const write = (connection: TcpStream, bytes: Uint8Array | string): Promise<void> =>
  connection.write(typeof bytes === 'string' ? latin1(bytes) : bytes).catch(() => {})

async function drain(seen: Seen): Promise<void> {
  try {
    for (let bytes = await seen.connection.read(); bytes !== undefined; bytes = await seen.connection.read()) {
      seen.text += textOf(bytes)
      listeners.get(seen)?.()
    }
    seen.state = 'ended'
    seen.connection.end()
  } catch {
    seen.state = 'broken'
  }
}

/** What a fetch came to, with its whole body: comparable. */
export async function outcome(promise: Promise<Response>): Promise<string> {
  try {
    const response = await promise
    return `${response.status} ${response.statusText}: ${await response.text()}`
  } catch (error) {
    const { message, cause } = error as { message: string; cause?: { code?: string } }
    return `${cause?.code}: ${message}`
  }
}
