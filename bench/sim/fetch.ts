/** The HTTP client on connections without a network: what a fetch costs from the call to the text of the response. */
import type { Machine, Timers } from '@xen-ts/runtime/machine'
import { httpClient } from '@xen-ts/stack'
import type { Host, Row } from './measure.ts'

const PAGE = 'x'.repeat(500)
const TYPE = 'content-type: text/plain;charset=UTF-8\r\n'
const DATE = 'date: Mon, 30 Nov 2026 12:00:00 GMT\r\n'

/** The same page again and again over one connection, in one piece, and one that comes as a stream. */
export async function fetchRows({ now, divisor }: Host, machine: Pick<Machine, 'abi'>): Promise<Row[]> {
  let abiCalls = 0
  const abi = new Proxy(machine.abi, {
    get(target, name) {
      const call = Reflect.get(target, name) as (...args: unknown[]) => unknown
      return (...args: unknown[]) => {
        abiCalls++
        return call(...args)
      }
    },
  })
  const timers: Timers = { now: () => 0, set: () => ({ cancel() {} }) }
  const rows: Row[] = []
  for (const [title, pieces] of [
    ['fetch, 500 bytes in one piece with their head, a second', [`HTTP/1.1 200 OK\r\n${TYPE}content-length: 500\r\n${DATE}\r\n${PAGE}`]],
    ['fetch, the same in three chunks that come one by one, a second', chunked()],
  ] as const) {
    const count = 20_000 / divisor
    const run = async (abi: Machine['abi'], requests: number): Promise<number> => {
      const server = new Server(pieces)
      const client = httpClient({ abi, timers }, { connect: async () => server })
      const start = now()
      for (let i = 0; i < requests; i++) {
        const text = await (await client.fetch('http://10.137.0.1/page')).text()
        if (text.length !== PAGE.length) throw new Error(`${text.length} bytes came`)
      }
      if (server.requests !== requests) throw new Error(`${server.requests} of ${requests} requests arrived`)
      return (now() - start) / 1000
    }
    await run(machine.abi, count / 10)
    const seconds = await run(machine.abi, count)
    // The functions are counted in a run of their own: the proxy is slow.
    abiCalls = 0
    await run(abi, 1000)
    rows.push({ title, rate: count / seconds, hypercalls: 0, abiCalls: abiCalls / 1000 })
  }
  return rows
}

function chunked(): string[] {
  const part = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`
  const head = `HTTP/1.1 200 OK\r\n${TYPE}transfer-encoding: chunked\r\n${DATE}\r\n`
  return [head, part(PAGE.slice(0, 200)), part(PAGE.slice(200, 400)), part(PAGE.slice(400)), '0\r\n\r\n']
}

/** One connection, which answers each request at once. */
class Server {
  requests = 0
  readonly #pieces: readonly Uint8Array[]
  readonly #waiting: Uint8Array[] = []
  #reader: ((bytes: Uint8Array) => void) | undefined

  constructor(pieces: readonly string[]) {
    this.#pieces = pieces.map(piece => new TextEncoder().encode(piece))
  }

  async write(): Promise<void> {
    this.requests++
    // As a socket gives them: each array is its reader's.
    for (const piece of this.#pieces) this.#waiting.push(piece.slice())
    this.#serve()
  }

  read(): Promise<Uint8Array> {
    return new Promise(resolve => {
      this.#reader = resolve
      this.#serve()
    })
  }

  #serve(): void {
    const reader = this.#reader
    const bytes = reader === undefined ? undefined : this.#waiting.shift()
    if (bytes === undefined) return
    this.#reader = undefined
    reader!(bytes)
  }

  close(): void {}
  abort(): void {}
}
