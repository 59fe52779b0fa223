/** Frames of real sessions on the simulated wire: what mutations begin with. All of them are of one attacker, or to all. */

import type { StackConfig } from '../config.ts'
import { followDhcp } from '../dhcp/host.ts'
import { address, type FakeServer, readAsked, tableServer } from '../dns/testing.ts'
import { httpServer } from '../http/server/server.ts'
import { createStack, type IpStack } from '../stack.ts'
import { DhcpServerDouble } from '../testing/dhcp-server.ts'
import { RawPeer } from '../testing/raw-peer.ts'
import { Wire } from '../testing/wire.ts'
import { World } from '../testing/world.ts'

export const VICTIM = { ip: '10.0.0.2', ip6: 'fd00::2', mac: '00:16:3e:5e:6c:00' }
export const ATTACKER = { ip: '10.0.0.66', ip6: 'fd00::66', mac: '02:00:00:00:00:66' }

export type Family = 4 | 6
export const ipOf = ({ ip, ip6 }: typeof VICTIM, family: Family): string => (family === 4 ? ip : ip6)

interface Scene {
  readonly family: Family
  readonly world: World
  readonly wire: Wire
  /** The stack that is attacked later, and its peer. */
  readonly victim: IpStack
  readonly peer: IpStack
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const table: FakeServer = tableServer({ 'www.example.org': [address('www.example.org', '10.0.0.66')] })

/** What happens in a recording. A protocol more is a line here. */
const sessions: Readonly<Record<string, (scene: Scene) => unknown>> = {
  http({ family, world, victim, peer }) {
    const controller = new AbortController()
    void httpServer(world.machine('http'), victim.tcp).serve({ port: 80, signal: controller.signal }, async request => {
      const body = await request.text()
      return new Response(`${request.method} ${body}${'x'.repeat(3000)}`)
    })
    return exchange(peer, ipOf(VICTIM, family), 80, [
      'GET / HTTP/1.1\r\nHost: a\r\nCookie: a=b\r\nCookie: c=d\r\n\r\n',
      'POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n',
      '3;a=b\r\nabc\r\n0\r\nTrailer: x\r\n\r\nPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello',
    ])
  },
  tcp({ family, victim, peer }) {
    void peer.tcp.listen({ port: 7 }, async connection => {
      for (let bytes = await connection.read(); bytes !== undefined; bytes = await connection.read()) await connection.write(bytes)
      connection.end()
    })
    return exchange(victim, ipOf(ATTACKER, family), 7, ['to and fro', 'y'.repeat(4000)])
  },
  dns({ victim, peer }) {
    peer.udp.bind(53, (bytes, offset, length, from, port) => {
      const question = readAsked(bytes.slice(offset, offset + length), false, port)
      for (const answer of table(question) as Uint8Array[]) peer.udp.send(53, from, port, answer)
    })
    return Promise.allSettled(['www.example.org', 'none.example.org'].map(name => victim.resolve(name)))
  },
  udp({ family, victim, peer }) {
    victim.udp.bind(7, (bytes, offset, length, from, port) => {
      victim.udp.send(7, from, port, bytes.slice(offset, offset + length))
    })
    peer.udp.send(4000, ipOf(VICTIM, family), 7, text('echo'))
    peer.udp.send(4000, ipOf(VICTIM, family), 7, new Uint8Array(3000))
    peer.udp.send(4000, ipOf(VICTIM, family), 8, text('nobody'))
    victim.udp.send(4000, ipOf(ATTACKER, family), 8, text('nobody'))
  },
}

async function exchange(from: IpStack, host: string, port: number, parts: readonly string[]): Promise<void> {
  const connection = await from.tcp.connect({ host, port })
  for (const part of parts) {
    await connection.write(text(part))
    await connection.read()
  }
  connection.end()
  while ((await connection.read()) !== undefined);
}

/** Frames in either direction, in the order of their sessions: those that the victim sent are of use as reflections. */
export async function record(family: Family): Promise<Uint8Array[]> {
  const frames: Uint8Array[] = []
  const config = (host: typeof VICTIM): StackConfig =>
    family === 4
      ? { address: host.ip, prefix: 24, dns: [ATTACKER.ip] }
      : { ipv6: { address: host.ip6, prefix: 64, auto: host === VICTIM }, dns: [ATTACKER.ip6] }
  for (const session of Object.values(sessions)) {
    const world = new World(1)
    const wire = new Wire(world)
    const victim = createStack(world.machine('victim'), wire.device(VICTIM.mac), config(VICTIM))
    const peer = createStack(world.machine('peer'), wire.device(ATTACKER.mac), config(ATTACKER))
    wire.filter = frame => frames.push(frame) > 0
    const done = Promise.resolve(session({ family, world, wire, victim, peer }))
    await world.run(10_000)
    await done
    victim.close()
    peer.close()
  }
  if (family === 4) frames.push(...(await icmp()), ...(await dhcp()))
  if (frames.length < 50) throw new Error(`${frames.length} frames were recorded: a session did not take place`)
  return frames
}

async function icmp(): Promise<Uint8Array[]> {
  const frames: Uint8Array[] = []
  const world = new World(1)
  const wire = new Wire(world)
  const victim = createStack(world.machine('victim'), wire.device(VICTIM.mac), { address: VICTIM.ip, prefix: 24 })
  const peer = new RawPeer(wire, ATTACKER.ip, VICTIM.ip, VICTIM.mac)
  wire.filter = frame => frames.push(frame) > 0
  peer.icmp(8, 0, [0, 1, 0, 1, ...new Array<number>(56).fill(0x61)])
  peer.arp(1)
  await world.run(1_000)
  victim.close()
  return frames
}

async function dhcp(): Promise<Uint8Array[]> {
  const frames: Uint8Array[] = []
  const world = new World(1)
  const wire = new Wire(world)
  const device = wire.device(VICTIM.mac)
  const machine = world.machine('victim')
  const victim = createStack(machine, device)
  const server = new DhcpServerDouble(frame => {
    frames.push(frame)
    world.at(0.1, () => device.arrive(frame))
  })
  wire.filter = frame => {
    frames.push(frame)
    server.receive(frame)
    return true
  }
  const host = followDhcp(machine, device, victim)
  await world.run(10_000)
  host.close()
  victim.close()
  return frames
}
