/** netfront in a simulated domain against the simulated netback. */
import { connectDrivers, connectNetfront, type EthernetDevice } from '@xen-ts/drivers'
import { type SimulatedDomain, SimulatedNetback, SimulatedXen } from '@xen-ts/drivers/sim'
import { COMPLETE } from '@xen-ts/runtime/machine'
import { type Host, Meter, type Row } from './measure.ts'

const SEGMENT = 1448
/** Flags of a packet with a blank checksum. */
const BLANK = 1 | 2
/** Packets that netback has to give at once. */
const BURST = 64

export async function netRows(host: Host): Promise<Row[]> {
  const xen = new SimulatedXen({ idle: host.idle })
  const [dom0, guest] = [xen.createDomain(0), xen.createDomain(1)]
  const netback = new SimulatedNetback(dom0, connectDrivers(dom0.machine), 1)
  const device = await xen.run(connectNetfront(connectDrivers(guest.machine), { blankChecksums: true, largePackets: true }))
  await xen.settle()
  let received = 0
  netback.onReceive = () => {
    received++
    netback.received.length = netback.receivedAs.length = 0
  }
  let delivered = 0
  device.onReceive = () => {
    delivered++
  }
  const meter = new Meter(guest, host)
  const [small, large] = [20_000 / host.divisor, 1000 / host.divisor]
  const all = (got: number, count: number): void => {
    if (got !== count) throw new Error(`${got} of ${count} packets arrived`)
  }
  const rows: Row[] = []

  rows.push(
    await meter.row('netfront, frames of 60 bytes from the guest a second', small, 1, undefined, async () => {
      await send(guest, device, small, 60, COMPLETE)
      all(received, small)
    }),
  )
  received = 0
  const bytes = device.largest()
  rows.push(
    await meter.row(`netfront, packets of ${bytes >>> 10} KiB from the guest, MB/s`, large, bytes / 1e6, bytes, async () => {
      await send(guest, device, large, bytes, SEGMENT)
      all(received, large)
    }),
  )
  rows.push(
    await meter.row('netfront, frames of 60 bytes to the guest a second', small, 1, undefined, async () => {
      const frame = new Uint8Array(60)
      for (let i = 0; i < small; i++) {
        netback.send(frame)
        if (i % BURST === BURST - 1) await xen.settle()
      }
      await xen.settle()
      all(delivered, small)
    }),
  )
  delivered = 0
  rows.push(
    await meter.row('netfront, packets of 64 KiB to the guest, MB/s', large, 65_226 / 1e6, 65_226, async () => {
      const packet = new Uint8Array(65_226) // as many segments as an IP packet can hold
      for (let i = 0; i < large; i++) {
        netback.send(packet, BLANK, SEGMENT)
        if (i % 4 === 3) await xen.settle()
      }
      await xen.settle()
      all(delivered, large)
    }),
  )
  await xen.run(device.close())
  return rows
}

/** Sends `count` frames of `length` bytes, as many at once as the device has room for. */
async function send(guest: SimulatedDomain, device: EthernetDevice, count: number, length: number, offload: number): Promise<void> {
  for (let sent = 0; sent < count; ) {
    const frame = offload === COMPLETE ? device.reserve() : device.reserve(length)
    if (frame !== undefined) {
      device.send(frame, length, offload)
      sent++
      continue
    }
    await guest.xen.settle()
    guest.order('benchmark', true) // what the backend did becomes visible, as it does by itself on a real machine
  }
  await guest.xen.settle()
}
