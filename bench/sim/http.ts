/** The HTTP server on a socket without a network: what a request costs from its bytes to those of its answer. */
import type { Machine, Timers } from '@xen-ts/runtime/machine'
import { Response } from '@xen-ts/runtime/web'
import { type ByteSocket, httpServer, type Listener, type SocketHandler } from '@xen-ts/stack'
import type { Host, Row } from './measure.ts'

const PAGE = 'x'.repeat(500)

/** The same request again and again, as a client on one connection sends it, and one with another target each time. */
export async function httpRows({ now, divisor, idle }: Host, machine: Pick<Machine, 'abi' | 'log'>): Promise<Row[]> {
  let abiCalls = 0
  const counting = (...args: unknown[]): unknown[] => {
    abiCalls++
    return args
  }
  const abi = new Proxy(machine.abi, {
    get(target, name) {
      const call = Reflect.get(target, name) as (...args: unknown[]) => unknown
      return (...args: unknown[]) => call(...counting(...args))
    },
  })
  const timers: Timers = { now: () => 0, set: () => ({ cancel() {} }) }
  const rows: Row[] = []
  for (const [title, isAsync, targets] of [
    ['HTTP, the same request on one connection, a second', false, 1],
    ['HTTP, the same with an async handler, a second', true, 1],
    ['HTTP, another target each time, a second', false, 1000],
  ] as const) {
    // The functions are counted in a run of their own: the proxy is slow.
    const count = 100_000 / divisor
    const run = async (abi: Machine['abi'], requests: number): Promise<number> => {
      const client = new Client()
      const respond = () => new Response(PAGE) as unknown as globalThis.Response
      const handler = isAsync ? async () => respond() : respond
      void httpServer({ abi, log: machine.log, timers }, client).serve({ port: 80 }, handler)
      const heads = Array.from({ length: targets }, (_, i) => request(`/page/${i}`))
      const start = now()
      for (let i = 0; i < requests; i++) {
        const head = heads[i % targets]
        client.handler.onData(head, 0, head.length)
        if (isAsync) await (idle?.() ?? new Promise(resolve => setImmediate(resolve)))
      }
      if (client.answers !== requests) throw new Error(`${client.answers} answers to ${requests} requests`)
      return (now() - start) / 1000
    }
    await run(machine.abi, count / 10)
    const seconds = await run(machine.abi, count)
    abiCalls = 0
    await run(abi, 1000)
    rows.push({ title, rate: count / seconds, hypercalls: 0, abiCalls: abiCalls / 1000 })
  }
  return rows
}

const request = (target: string): Uint8Array =>
  new TextEncoder().encode(`GET ${target} HTTP/1.1\r\nHost: 10.137.0.16\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n`)

/** One connection of a client that takes everything at once. */
class Client implements Listener {
  handler!: SocketHandler
  answers = 0

  bind(_port: number, _options: unknown, accept: (socket: ByteSocket) => SocketHandler): void {
    const socket = {
      remote: { address: '10.137.0.1', port: 40_000 },
      local: { address: '10.137.0.16', port: 80 },
      room: 65_536,
      queue: () => {
        this.answers++
      },
      flush() {},
      consumed() {},
      end() {},
      abort() {},
      abortAfter() {},
      keepAlive() {},
    }
    this.handler = accept(socket)
  }
}
