/** One stack, and a raw peer on its wire. */
import type { StackConfig } from '../config.ts'
import { createStack, type IpStack } from '../stack.ts'
import { RawPeer } from './raw-peer.ts'
import { type SimulatedDevice, Wire } from './wire.ts'
import { World } from './world.ts'

export interface Raw {
  world: World
  wire: Wire
  stack: IpStack
  device: SimulatedDevice
  peer: RawPeer
}

export function raw(config: Partial<StackConfig> = {}, seed = 1): Raw {
  const world = new World(seed)
  const wire = new Wire(world, { delay: 0.1 })
  const device = wire.device('00:16:3e:5e:6c:00')
  const peer = new RawPeer(wire, '10.0.0.1', '10.0.0.2', '00:16:3e:5e:6c:00')
  const stack = createStack(world.machine('stack'), device, { address: '10.0.0.2', prefix: 24, ...config })
  return { world, wire, stack, device, peer }
}
