/** The stack on netfront, with another stack where Linux is on the other side of netback: large packets and blank checksums both ways. */

import { connectDrivers, connectNetfront } from '@xen-ts/drivers'
import { SimulatedNetback, SimulatedXen } from '@xen-ts/drivers/sim'
import { COMPLETE, type EthernetDevice, type Frame } from '@xen-ts/runtime/machine'
import test from 'ava'
import '@xen-ts/drivers/sim/leak-check'
import { createStack } from './stack.ts'
import { pattern } from './testing/pair.ts'
import { segments } from './testing/segments.ts'

/** A network card on the other side of netback; what it may leave to the guest it does, and what the guest leaves to it. */
class HostDevice implements EthernetDevice {
  readonly mac = new Uint8Array([0xfe, 0xff, 0xff, 0xff, 0xff, 0xff])
  readonly mtu = 1500
  readonly checksums = true
  onReceive: EthernetDevice['onReceive']
  onWritable: EthernetDevice['onWritable']
  onIdle: EthernetDevice['onIdle']
  large = 0
  readonly #netback: SimulatedNetback

  constructor(netback: SimulatedNetback) {
    this.#netback = netback
    netback.onReceive = packet => {
      const { segment, blank } = netback.receivedAs.at(-1)!
      netback.received.length = 0
      for (const bytes of blank ? segments(packet, segment || 1) : [packet]) {
        const u8 = new Uint8Array(1516)
        u8.set(bytes)
        this.onReceive?.({ u8, u16: new Uint16Array(u8.buffer) }, bytes.length)
      }
      this.onIdle?.()
    }
  }

  reserve(length = 0): Frame {
    const u8 = new Uint8Array(Math.max(2048, length + (length & 1)))
    return { u8, u16: new Uint16Array(u8.buffer) }
  }

  largest(): number {
    return 65_549
  }

  send(frame: Frame, length: number, offload = COMPLETE): void {
    if (offload > 1) this.large++
    this.#netback.send(frame.u8.slice(0, length), offload === COMPLETE ? 0 : 3, offload > 1 ? offload : 0)
  }

  discard(): void {}
  async close(): Promise<void> {}
}

async function setUp() {
  const xen = new SimulatedXen()
  const dom0 = xen.createDomain(0)
  const guest = xen.createDomain(1)
  const netback = new SimulatedNetback(dom0, connectDrivers(dom0.machine), 1)
  const device = await xen.run(connectNetfront(connectDrivers(guest.machine), { blankChecksums: true, largePackets: true }))
  const hostDevice = new HostDevice(netback)
  const ours = createStack(guest.machine, device, { address: '10.137.0.16', gateway: '10.137.0.1' })
  const host = createStack(dom0.machine, hostDevice, { address: '10.137.0.1', prefix: 24 })
  /** That nothing is left over is looked at when all tests have ended. */
  const finish = async (): Promise<void> => {
    await xen.settle() // the last packets of what has ended
    ours.close()
    host.close()
    await xen.run(device.close())
    netback.vanish()
  }
  return { xen, netback, hostDevice, ours, host, finish }
}

test('a megabyte each way, in large packets, whole', async t => {
  const { xen, netback, hostDevice, ours, host, finish } = await setUp()
  const bytes = pattern(1_000_000)
  const talk = async (
    tcp: typeof ours.tcp extends infer T ? T : never,
    connection: Awaited<ReturnType<typeof tcp.connect>>,
  ): Promise<boolean> => {
    const writing = (async () => {
      for (let at = 0; at < bytes.length; at += 65_536) await connection.write(bytes.subarray(at, at + 65_536))
      connection.end()
    })()
    let at = 0
    for (let part = await connection.read(); part !== undefined; part = await connection.read()) {
      if (Buffer.compare(part, bytes.subarray(at, at + part.length)) !== 0) return false
      at += part.length
    }
    await writing
    return at === bytes.length
  }
  const server = Promise.withResolvers<boolean>()
  void ours.tcp.listen({ port: 7 }, connection => void talk(ours.tcp, connection).then(server.resolve, server.reject))
  const client = (async () => talk(host.tcp, await host.tcp.connect({ host: '10.137.0.16', port: 7 })))()
  t.deepEqual(await xen.run(Promise.all([server.promise, client])), [true, true])
  t.is(netback.fatal, undefined)
  t.is(netback.errors, 0)
  t.true(hostDevice.large > 10)
  t.true(netback.receivedAs.some(({ segment, slots }) => segment > 0 && slots > 5))
  t.true(netback.receivedAs.length < 400, `${netback.receivedAs.length} packets`)
  t.is(ours.counters.tcpRetransmits + host.counters.tcpRetransmits, 0)
  t.is(ours.counters.malformed + ours.counters.badChecksum + host.counters.badChecksum, 0)
  await finish()
})

test('an answer of a little more than a segment, or than a usual frame holds, goes out in one packet', async t => {
  const { xen, netback, ours, host, finish } = await setUp()
  // Around a segment, a usual frame, and a page: with timestamps a segment has 1448 bytes, and its headers 66.
  const sizes = [1448, 1449, 1500, 1982, 1983, 2048, 4030, 4031]
  void ours.tcp.listen({ port: 7 }, async connection => {
    for (let request = await connection.read(); request !== undefined; request = await connection.read())
      await connection.write(pattern(sizes[request[0]]))
    connection.end()
  })
  await xen.run(
    (async () => {
      const connection = await host.tcp.connect({ host: '10.137.0.16', port: 7 })
      for (const [i, size] of sizes.entries()) {
        netback.receivedAs.length = 0
        await connection.write(Uint8Array.of(i))
        let bytes = 0
        while (bytes < size) bytes += (await connection.read())!.length
        t.is(bytes, size)
        t.deepEqual(
          netback.receivedAs.filter(({ segment }) => segment > 0),
          size <= 1448 ? [] : [{ segment: 1448, blank: true, slots: Math.ceil((size + 66) / 4096) }],
          `${size}`,
        )
      }
      connection.end()
    })(),
  )
  await finish()
})

test('large packets that are no TCP, or shorter than they say, or not vouched for, are dropped', async t => {
  const { xen, netback, ours, finish } = await setUp()
  const large = (change: (bytes: Uint8Array) => void): Uint8Array => {
    const bytes = new Uint8Array(9000)
    bytes.set([0x00, 0x16, 0x3e, 0x5e, 0x6c, 0x00, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 8, 0])
    bytes.set([0x45, 0, 8986 >> 8, 8986 & 255, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 137, 0, 1, 10, 137, 0, 16], 14)
    bytes.set([0, 9, 0, 9, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 255, 255], 34)
    change(bytes)
    let sum = 0
    for (let i = 14; i < 34; i += 2) sum += i === 24 ? 0 : (bytes[i] << 8) | bytes[i + 1]
    sum = (sum & 0xffff) + (sum >>> 16)
    bytes.set([(~sum >> 8) & 255, ~sum & 255], 24)
    return bytes
  }
  const { counters } = ours
  const cases: [string, (bytes: Uint8Array) => void, number, 'malformed' | 'badChecksum' | 'tcpNoConnection'][] = [
    [
      'UDP',
      bytes => {
        bytes[23] = 17
      },
      3,
      'malformed',
    ],
    [
      'ICMP',
      bytes => {
        bytes[23] = 1
      },
      3,
      'malformed',
    ],
    [
      'ARP',
      bytes => {
        bytes[13] = 6
      },
      3,
      'malformed',
    ],
    [
      'longer than the frame',
      bytes => {
        bytes[16] = 0x40
      },
      3,
      'malformed',
    ],
    ['wrong, and not vouched for', () => {}, 0, 'badChecksum'],
    ['good, of no connection', () => {}, 3, 'tcpNoConnection'],
  ]
  for (const [name, change, flags, counter] of cases) {
    const before = counters[counter]
    netback.send(large(change), flags, 1448)
    await xen.settle()
    t.is(counters[counter], before + 1, name)
  }
  await finish()
})
