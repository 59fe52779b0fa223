/** For tests: two simulated domains with vchans between them. */

import { EventChannels, GrantTable, Xenstore } from '@xen-ts/drivers'
import { type SimulatedDomain, SimulatedXen, type SimulationOptions } from '@xen-ts/drivers/sim'
import type { ExecutionContext } from 'ava'
import type { ByteChannel } from './index.ts'
import { vchanChannels } from './index.ts'

const partsOf = (domain: SimulatedDomain) => {
  const { machine } = domain
  const parts = { machine, events: new EventChannels(machine), grants: new GrantTable(machine), xenstore: new Xenstore(machine) }
  return { domain, ...parts, channels: vchanChannels(parts) }
}

/** Domain 1 is the server of everything, domain 2 its client. */
export const setUp = (options?: SimulationOptions) => {
  const xen = new SimulatedXen(options)
  return { xen, server: partsOf(xen.createDomain(1)), client: partsOf(xen.createDomain(2)) }
}

export const open = async (
  { xen, server, client }: ReturnType<typeof setUp>,
  readSize = 4096,
  writeSize = 4096,
): Promise<[ByteChannel, ByteChannel]> =>
  xen.run(Promise.all([server.channels.serve(2, 512, { readSize, writeSize }), client.channels.connect(1, 512)]))

export const pattern = (length: number, start = 0): Uint8Array => {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = (start + i) * 7 + (i >> 8)
  return bytes
}
export const equal = (a: Uint8Array | undefined, b: Uint8Array): boolean =>
  a !== undefined && a.length === b.length && a.every((byte, i) => byte === b[i])

/** Closes everything and lets deferred releases finish. */
export const end = async (xen: SimulatedXen, ...channels: ByteChannel[]): Promise<void> => {
  for (const channel of channels) channel.close()
  await xen.advance(3000)
  xen.assertNoLeaks()
}

/** Sends three ring-fulls and a bit each way at the same time, and compares what arrives. */
export const streamBothWays = async (t: ExecutionContext, readSize: number, writeSize: number): Promise<void> => {
  const set = setUp({ seed: readSize + writeSize })
  const [a, b] = await open(set, readSize, writeSize)
  const up = pattern(readSize * 3 + 77)
  const down = pattern(writeSize * 3 + 11, 5)
  const [, , atServer, atClient] = await set.xen.run(
    Promise.all([b.write(up), a.write(down), a.readExactly(up.length), b.readExactly(down.length)]),
  )
  t.true(equal(atServer, up))
  t.true(equal(atClient, down))
  await end(set.xen, a, b)
}
