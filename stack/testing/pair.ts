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
  family: 4 | 6 = 4,
): Pair {
  const world = new World(seed)
  const wire = new Wire(world, conditions)
  const clientDevice = wire.device('02:00:00:00:00:01', devices)
  const serverDevice = wire.device('02:00:00:00:00:02', devices)
  const client = createStack(world.machine('client'), clientDevice, { ...addressOf(1, family), limits: limits.client })
  const server = createStack(world.machine('server'), serverDevice, { ...addressOf(2, family), limits: limits.server })
  return { world, wire, client, server, clientDevice, serverDevice }
}

const addressOf = (number: number, family: 4 | 6): StackConfig =>
  family === 4 ? { address: `10.0.0.${number}`, prefix: 24 } : { ipv6: { address: `fd00::${number}`, prefix: 64 } }

/** The server's address. */
export const serverAddress = { 4: '10.0.0.2', 6: 'fd00::2' } as const

/** Bytes that tell their position: a byte that is lost, doubled or misplaced shows. */
export function pattern(length: number, from = 0): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = ((from + i) * 31 + ((from + i) >>> 8) * 7) & 0xff
  return bytes
}
