/**
 * TCP does not know which family of IP it serves: here it runs over one that the stack does not have, with the headers of IPv6 (RFC 8200)
 * and with nothing of its own changed.
 */
import type { Frame } from '@xen-ts/runtime/machine'
import test from 'ava'
import { defaultLimits, noAddresses } from '../config.ts'
import { Counters } from '../counters.ts'
import { Interface } from '../ip/interface.ts'
import { Neighbour } from '../ip/neighbour.ts'
import { Route } from '../ip/route.ts'
import { pattern } from '../testing/pair.ts'
import { record, text } from '../testing/session.ts'
import { type SimulatedDevice, Wire } from '../testing/wire.ts'
import { World } from '../testing/world.ts'
import { fold } from '../wire/checksum.ts'
import { swap16, writeEthernet } from '../wire/ethernet.ts'
import type { Opener } from './connection.ts'
import { TcpEngine } from './engine.ts'
import { TcpStream } from './stream.ts'
import { Tcp } from './tcp.ts'

const TYPE_IPV6 = 0xdd86
const OVERHEAD = 54

class WideRoute extends Route {
  readonly #host: WideHost
  readonly #peer: number[]

  constructor(host: WideHost, peer: number[]) {
    super(host.link, OVERHEAD, fold([...host.address, ...peer].reduce((a, b) => a + b)))
    this.#host = host
    this.#peer = peer
  }

  get peer(): string {
    return format(this.#peer)
  }
  get local(): string {
    return format(this.#host.address)
  }
  get words(): number[] {
    return [...this.#host.address, ...this.#peer]
  }
  get hasLocal(): boolean {
    return true
  }
  get mtu(): number {
    return this.link.device.mtu
  }
  get leastMtu(): number {
    return 1280
  }
  get checksums(): boolean {
    return false
  }
  largest(): number {
    return 0
  }
  resolve(): Neighbour | undefined {
    return (this.hop = this.#host.neighbour)
  }
  writeHeaders(u16: Uint16Array, protocol: number): void {
    writeEthernet(u16, this.hop!.mac!, this.link.mac, TYPE_IPV6)
    u16.set([0x0060, 0, 0, protocol | (64 << 8), ...this.#host.address, ...this.#peer], 7)
  }
  setLength(u16: Uint16Array, length: number): void {
    u16[9] = swap16(length)
  }
  endpoint(port: number): string {
    return `[${this.peer}]:${port}`
  }
  keep(): void {
    this.#host.routes.set(this.peer, this)
  }
  forget(): void {
    this.#host.routes.delete(this.peer)
  }
}

const format = (words: number[]): string => words.map(word => swap16(word).toString(16)).join(':')

/** A host with one neighbour, whose MAC address it knows. */
class WideHost {
  readonly link: Interface
  readonly engine: TcpEngine
  readonly address: number[]
  readonly neighbour = new Neighbour()
  readonly routes = new Map<string, WideRoute>()

  constructor(world: World, device: SimulatedDevice, last: number, limits = defaultLimits) {
    const machine = world.machine(`host ${last}`)
    this.link = new Interface(machine, device, noAddresses, limits, new Counters())
    this.engine = new TcpEngine(machine, this.link, limits)
    this.address = addressOf(last)
    this.neighbour.mac = new Uint16Array([0x0002, 0, (3 - last) << 8])
    this.neighbour.version = 1
    device.onReceive = (frame, length) => this.#receive(frame, length)
    device.onIdle = () => this.engine.batchEnds()
    device.onWritable = () => this.engine.framesFree()
  }

  #receive(frame: Frame, length: number): void {
    if (length < OVERHEAD || frame.u16[6] !== TYPE_IPV6) return
    this.engine.input.receive(frame, OVERHEAD, swap16(frame.u16[9]), this.route([...frame.u16.subarray(11, 19)]))
  }

  route(peer: number[]): WideRoute {
    return this.routes.get(format(peer)) ?? new WideRoute(this, peer)
  }
}

const addressOf = (last: number): number[] => [0x00fd, 0, 0, 0, 0, 0, 0, swap16(last)]

function setUp(loss = 0) {
  const world = new World(11)
  const wire = new Wire(world, { delay: 1, loss })
  const [client, server] = [1, 2].map(last => new WideHost(world, wire.device(`02:00:00:00:00:0${last}`), last))
  return { world, wire, client, server }
}

test('a connection over wide addresses: names, segment size, data both ways under loss, and nothing is left', async t => {
  const { world, wire, client, server } = setUp(0.02)
  const bytes = pattern(200_000)
  const got: Uint8Array[] = []
  let endpoints: unknown[] = []
  new Tcp(server.engine, async () => []).bind(80, {}, socket => {
    endpoints = [socket.remote.address, socket.local.address]
    return {
      ...record([]),
      onData(data, offset, length) {
        got.push(data.slice(offset, offset + length))
        return 0
      },
      onEnd() {
        const answer = text('thank you')
        socket.queue(answer, 0, answer.length)
        socket.end()
      },
    }
  })
  let longest = 0
  wire.filter = frame => {
    longest = Math.max(longest, frame.length)
    return true
  }
  const opener: Opener = { opened: () => true }
  const connection = client.engine.open(client.route(addressOf(2)), 80, opener)
  const stream = new TcpStream(connection, client.link.abi, world.machine('timers').timers)
  connection.handler = stream.handler
  const talk = (async () => {
    for (let at = 0; at < bytes.length; at += 50_000) await stream.write(bytes.subarray(at, at + 50_000))
    stream.end()
    const answer: Uint8Array[] = []
    for (let part = await stream.read(); part !== undefined; part = await stream.read()) answer.push(part)
    return Buffer.concat(answer).toString()
  })()
  await world.run(60_000)
  t.is(await talk, 'thank you')
  t.true(Buffer.concat(got).equals(Buffer.from(bytes)))
  t.deepEqual(endpoints, ['fd00:0:0:0:0:0:0:1', 'fd00:0:0:0:0:0:0:2'])
  t.is(connection.mss, 1500 - 40 - 20 - 12, 'of a segment with timestamps')
  t.is(longest, 1514)
  t.is(server.link.counters.badChecksum, 0)
  await world.run(120_000)
  t.deepEqual([client.engine.table.size, server.engine.table.size, client.routes.size, server.routes.size], [0, 0, 0, 0])
})

test('over wide addresses: a closed port resets, a flood gets cookies, peers with the same ports are told apart', async t => {
  const { world, client, server } = setUp()
  const errors: unknown[] = []
  const call = (host: WideHost, peer: number[], port: number): void => {
    const connection = host.engine.open(host.route(peer), port, { opened: () => true })
    connection.handler = { ...record([]), onClosed: error => errors.push(error?.message) }
  }
  call(client, addressOf(2), 81)
  await world.run(20)
  t.deepEqual(errors, ['connection to [fd00:0:0:0:0:0:0:2]:81 was refused'])

  let accepted = 0
  new Tcp(server.engine, async () => []).bind(80, { backlog: 0 }, () => (accepted++, record([])))
  call(client, addressOf(2), 80)
  await world.run(20)
  t.is(server.link.counters.tcpSynCookies, 1)
  t.is(accepted, 1)

  // Another host behind the same cable, with the same ports: only the address tells.
  const [connection] = server.engine.table.all()
  const other = server.route(addressOf(9))
  t.is(other.connections, undefined)
  t.is(server.route(addressOf(1)).connections!.get(connection.ports), connection)
})
