/** What the tests of netfront share: a guest and its backend on the simulated Xen. */
import type { Frame } from '@xen-ts/runtime/machine'
import type { Netfront, NetfrontOptions } from '../index.ts'
import { connectDrivers, connectNetfront } from '../index.ts'
import type { NetbackOptions, SimulationOptions } from '../sim/index.ts'
import { SimulatedNetback, SimulatedXen } from '../sim/index.ts'

/** Index of a ring's first slot in words of 32 bits. */
export const FIRST_SLOT = 16

/** A guest with a vif whose backend is in domain 0, not connected yet. */
export const setUp = (netbackOptions?: NetbackOptions, simulation?: SimulationOptions) => {
  const xen = new SimulatedXen(simulation)
  const dom0 = xen.createDomain(0)
  const guest = xen.createDomain(1)
  const backendDrivers = connectDrivers(dom0.machine)
  const drivers = connectDrivers(guest.machine)
  const attach = (options = netbackOptions): SimulatedNetback => new SimulatedNetback(dom0, backendDrivers, 1, options)
  return { xen, dom0, guest, drivers, attach, netback: attach() }
}
export type Set = ReturnType<typeof setUp>

export const connect = async (set: Set, options?: NetfrontOptions): Promise<Netfront> => {
  const device = await set.xen.run(connectNetfront(set.drivers, options))
  await set.xen.settle()
  return device
}

/** A packet with content that tells its place. */
export const packet = (length: number, seed = 1): Uint8Array => Uint8Array.from({ length }, (_, i) => i * 3 + seed)

export const same = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i])

/** False when the device has no buffer. */
export const transmit = (device: Netfront, bytes: Uint8Array): boolean => {
  const frame = device.reserve()
  if (frame === undefined) return false
  frame.u8.set(bytes)
  device.send(frame, bytes.length)
  return true
}

/** Copies of what arrives. */
export const collect = (device: Netfront): Uint8Array[] => {
  const packets: Uint8Array[] = []
  device.onReceive = (frame: Frame, length: number) => packets.push(frame.u8.slice(0, length))
  return packets
}

/** Detaches by the toolstack's way, closes, and checks that nothing remains of either side. */
export const end = async (set: Set, device: Netfront): Promise<void> => {
  await set.xen.run(device.close())
  set.netback.vanish()
  await set.xen.advance(3000)
  set.xen.assertNoLeaks()
}

export const warnings = ({ guest }: Set): string[] =>
  guest.log.filter(({ level }) => level === 'warn' || level === 'error').map(({ text }) => text)

/** Builds a large frame and sends it, unless the device has none. */
export const transmitLarge = (device: Netfront, bytes: Uint8Array, segment: number): Frame | undefined => {
  const frame = device.largest() < bytes.length ? undefined : device.reserve(bytes.length)
  if (frame === undefined) return undefined
  frame.u8.set(bytes)
  device.send(frame, bytes.length, segment)
  return frame
}

/** The pages that netfront shares with its backend, for tests that write what no backend should. */
export interface Rings {
  tx: Uint32Array
  rx: Uint32Array
  set: Set
}

/** Writes a response for a received packet into slot `index`. */
export const respond = ({ rx }: Rings, index: number, id: number, offset: number, flags: number, status: number): void => {
  rx[FIRST_SLOT + index * 2] = id | (offset << 16)
  rx[FIRST_SLOT + index * 2 + 1] = flags | (status << 16)
}
