/** A stack of IPv6 and a raw peer beside it, for tests of IPv6. Not part of any image. */
import type { StackConfig } from '../config.ts'
import { createStack } from '../stack.ts'
import { RawPeer6 } from '../testing/raw-peer6.ts'
import { Wire } from '../testing/wire.ts'
import { World } from '../testing/world.ts'

export const MAC = '00:16:3e:5e:6c:00'
export const OWN = 'fd00::2'
export const LINK_LOCAL = 'fe80::216:3eff:fe5e:6c00'
export const ping = [128, 0, 0, 0, 0x12, 0x34, 0, 1, 1, 2, 3, 4, 5]

/** The stack at fd00::2/64, and a peer at fd00::1; what they said at the start is forgotten. */
export async function setUp(ipv6: Partial<NonNullable<StackConfig['ipv6']>> = {}, config: Partial<StackConfig> = {}, ip = 'fd00::1') {
  const world = new World(1)
  const wire = new Wire(world, { delay: 0.1 })
  const device = wire.device(MAC)
  const peer = new RawPeer6(wire, ip, ipv6.address ?? OWN, MAC)
  const stack = createStack(world.machine('stack'), device, { ipv6: { address: OWN, prefix: 64, ...ipv6 }, ...config })
  await world.run(1_500)
  const started = peer.frames.splice(0)
  return { world, wire, device, peer, stack, started, logs: () => world.logLines.filter(line => !line.includes('DBG')) }
}
export type Set = Awaited<ReturnType<typeof setUp>>
