/** Two stacks with a wire between them: what most tests begin with. */
import type { StackConfig } from '../config.ts'
import { createStack, type IpStack } from '../stack.ts'
import { type DeviceOptions, type SimulatedDevice, Wire, type WireConditions } from './wire.ts'
import { World } from './world.ts'

export interface Pair {
  world: World
  wire: Wire
  client: IpStack
  server: IpStack
  clientDevice: SimulatedDevice
  serverDevice: SimulatedDevice
}

export function pair(
  seed: number,
  conditions: WireConditions = {},
  limits: { client?: StackConfig['limits']; server?: StackConfig['limits'] } = {},
  devices: DeviceOptions = {},
): Pair {
  const world = new World(seed)
  const wire = new Wire(world, conditions)
  const clientDevice = wire.device('02:00:00:00:00:01', devices)
  const serverDevice = wire.device('02:00:00:00:00:02', devices)
  const client = createStack(world.machine('client'), clientDevice, { address: '10.0.0.1', prefix: 24, limits: limits.client })
  const server = createStack(world.machine('server'), serverDevice, { address: '10.0.0.2', prefix: 24, limits: limits.server })
  return { world, wire, client, server, clientDevice, serverDevice }
}

/** Bytes that tell their position: a byte that is lost, doubled or misplaced shows. */
export function pattern(length: number, from = 0): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = ((from + i) * 31 + ((from + i) >>> 8) * 7) & 0xff
  return bytes
}
