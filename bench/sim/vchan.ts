/** vchan between two simulated domains that both run our driver; the guest measured is the client. */

import { connectDrivers } from '@xen-ts/drivers'
import type { ByteChannel } from '@xen-ts/drivers/channel'
import { SimulatedXen } from '@xen-ts/drivers/sim'
import { vchanChannels } from '@xen-ts/vchan'
import { type Host, Meter, type Row } from './measure.ts'

const RING = 65536

export async function vchanRows(host: Host): Promise<Row[]> {
  const xen = new SimulatedXen({ idle: host.idle })
  const [peer, guest] = [xen.createDomain(1), xen.createDomain(2)]
  const [atPeer, atGuest] = await xen.run(
    Promise.all([
      vchanChannels(connectDrivers(peer.machine)).serve(2, 512, { readSize: RING, writeSize: RING }),
      vchanChannels(connectDrivers(guest.machine)).connect(1, 512),
    ]),
  )
  const meter = new Meter(guest, host)
  const rows: Row[] = []
  for (const [title, from, to] of [
    ['from', atGuest, atPeer],
    ['to', atPeer, atGuest],
  ] as const) {
    for (const chunk of [65536, 1024]) {
      const count = Math.ceil(((chunk < RING ? 4 : 16) * 2 ** 20) / chunk / host.divisor)
      rows.push(
        await meter.row(`vchan, ${title} the guest, writes of ${chunk >>> 10} KiB, MB/s`, count, chunk / 1e6, chunk, () =>
          xen.run(Promise.all([give(from, count, chunk), take(to, count * chunk)])),
        ),
      )
    }
  }
  const trips = 5000 / host.divisor
  rows.push(
    await meter.row('vchan, round trips of one byte a second', trips, 1, undefined, () =>
      xen.run(Promise.all([echo(atPeer, trips), ping(atGuest, trips)])),
    ),
  )
  atPeer.close()
  atGuest.close()
  return rows
}

async function give(channel: ByteChannel, count: number, chunk: number): Promise<void> {
  const piece = new Uint8Array(chunk)
  for (let i = 0; i < count; i++) await channel.write(piece)
}

async function take(channel: ByteChannel, bytes: number): Promise<void> {
  for (let left = bytes; left > 0; ) left -= ((await channel.read()) as Uint8Array).length
}

async function echo(channel: ByteChannel, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await channel.write((await channel.read(1)) as Uint8Array)
}

async function ping(channel: ByteChannel, count: number): Promise<void> {
  const byte = Uint8Array.of(1)
  for (let i = 0; i < count; i++) {
    await channel.write(byte)
    await channel.read(1)
  }
}
