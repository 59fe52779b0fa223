/** The whole stack on a device without a network: what a request costs from its frame to the frame that answers it. */
import type { EthernetDevice, Frame, Machine, Timers } from '@xen-ts/runtime/machine'
import { Response } from '@xen-ts/runtime/web'
import { createStack, httpServer } from '@xen-ts/stack'
import type { Host, Row } from './measure.ts'

const RUNS = 20
const PAGE = 'x'.repeat(500)
const HEAD = 'GET /page HTTP/1.1\r\nHost: 10.137.0.16\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n'
const [SYN, ACK, PSH] = [2, 16, 8]
const MSS = [2, 4, 5, 180]
const STAMP = [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0]

/** One client that keeps its connection, without and with timestamps (RFC 7323), as Linux offers them. */
export async function tcpRows({ now, divisor }: Host, machine: Pick<Machine, 'abi' | 'log'>): Promise<Row[]> {
  let abiCalls = 0
  const abi = new Proxy(machine.abi, {
    get(target, name) {
      const call = Reflect.get(target, name) as (...args: unknown[]) => unknown
      return (...args: unknown[]) => (abiCalls++, call(...args))
    },
  })
  const rows: Row[] = []
  for (const [title, options] of [
    ['HTTP over TCP, requests on one connection a second', []],
    ['HTTP over TCP, the same with timestamps', STAMP],
  ] as const) {
    const count = 100_000 / divisor
    const run = (abi: Machine['abi'], requests: number): number => {
      let time = 0
      const timers: Timers = { now: () => time, set: () => ({ cancel() {} }) }
      const client = new Client(options)
      const device = client.device
      const stack = createStack({ abi, log: machine.log, timers }, device, { address: '10.0.0.2', prefix: 24 })
      void httpServer({ abi, log: machine.log, timers }, stack.tcp).serve(
        { port: 80 },
        () => new Response(PAGE) as unknown as globalThis.Response,
      )
      client.connect()
      // The best of several runs: other work on the machine can only make one slower.
      let best = Infinity
      for (let run = 0; run < RUNS; run++) {
        const start = now()
        for (let i = 0; i < requests / RUNS; i++) {
          time += 0.1
          client.request(time)
        }
        best = Math.min(best, (now() - start) * RUNS)
      }
      if (client.answers !== requests) throw new Error(`${client.answers} answers to ${requests} requests`)
      return best / 1000
    }
    run(machine.abi, count / 10)
    const seconds = run(machine.abi, count)
    abiCalls = 0
    run(abi, 1000)
    rows.push({ title, rate: count / seconds, hypercalls: 0, abiCalls: abiCalls / 1000 })
  }
  return rows
}

/** Speaks just enough TCP, in frames whose checksums were checked already. */
class Client {
  readonly device: EthernetDevice
  answers = 0
  readonly #answer = newFrame()
  readonly #request = newFrame()
  readonly #length: number
  readonly #stamped: boolean
  #sequence = 1001
  #acknowledgment = 0

  constructor(options: readonly number[]) {
    this.#stamped = options.length > 0
    let free: Frame | undefined = this.#answer
    this.device = {
      mac: new Uint8Array([0, 22, 62, 94, 108, 0]),
      mtu: 1500,
      checksums: true,
      onReceive: undefined,
      onWritable: undefined,
      onIdle: undefined,
      reserve: () => {
        const frame = free
        free = undefined
        return frame
      },
      largest: () => 0,
      send: (frame, length) => {
        free = frame
        if (frame.u8[12] === 8 && frame.u8[13] === 0) this.#arrives(frame.u8, length)
      },
      discard: frame => {
        free = frame
      },
      close: async () => {},
    } as EthernetDevice
    this.#length = this.#fill(ACK | PSH, options, HEAD)
  }

  connect(): void {
    const arp = newFrame()
    arp.u8.set([
      0, 22, 62, 94, 108, 0, 2, 0, 0, 0, 0, 1, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2,
    ])
    this.device.onReceive!(arp, 42)
    const syn = new Client([])
    const length = syn.#fill(SYN, this.#stamped ? [...MSS, ...STAMP] : MSS, '')
    syn.#number(1000, 0)
    this.device.onReceive!(syn.#request, length)
    const open = new Client([])
    const bytes = open.#fill(ACK, this.#stamped ? STAMP : [], '')
    open.#number(1001, this.#acknowledgment)
    this.device.onReceive!(open.#request, bytes)
    this.answers = 0
  }

  request(time: number): void {
    this.#number(this.#sequence, this.#acknowledgment)
    this.#sequence += HEAD.length
    if (this.#stamped) new DataView(this.#request.u8.buffer).setUint32(58, 1 + Math.floor(time))
    this.device.onReceive!(this.#request, this.#length)
    this.device.onIdle?.()
  }

  #arrives(u8: Uint8Array, length: number): void {
    const view = new DataView(u8.buffer)
    const header = (u8[46] >> 4) * 4
    this.#acknowledgment = (view.getUint32(38) + length - 34 - header + ((u8[47] & SYN) !== 0 ? 1 : 0)) >>> 0
    if (length > 300) this.answers++
  }

  #number(sequence: number, acknowledgment: number): void {
    const view = new DataView(this.#request.u8.buffer)
    view.setUint32(38, sequence)
    view.setUint32(42, acknowledgment)
  }

  #fill(flags: number, options: readonly number[], text: string): number {
    const { u8 } = this.#request
    const tcp = 20 + options.length
    const length = 20 + tcp + text.length
    u8.set([
      0,
      22,
      62,
      94,
      108,
      0,
      2,
      0,
      0,
      0,
      0,
      1,
      8,
      0,
      0x45,
      0,
      length >> 8,
      length & 255,
      0,
      0,
      0x40,
      0,
      64,
      6,
      0,
      0,
      10,
      0,
      0,
      1,
      10,
      0,
      0,
      2,
    ])
    u8.set([156, 64, 0, 80, 0, 0, 0, 0, 0, 0, 0, 0, tcp << 2, flags, 255, 255, 0, 0, 0, 0, ...options], 34)
    u8.set(new TextEncoder().encode(text), 34 + tcp)
    let sum = 0
    for (let i = 14; i < 34; i += 2) sum += (u8[i] << 8) | u8[i + 1]
    sum = ~((sum & 0xffff) + (sum >>> 16))
    u8.set([(sum >> 8) & 255, sum & 255], 24)
    return 14 + length
  }
}

function newFrame(): Frame {
  const u8 = new Uint8Array(1516)
  return { u8, u16: new Uint16Array(u8.buffer), checked: true } as Frame
}
