/** The device graph as data: for pictures of it, and for main.ts. */
import type { Device, Devices } from './device.ts'
import { describeOptions, type Identity, identity, isOwn, needsOf, order } from './graph.ts'
import type { Elsewhere, Target } from './target.ts'

export interface PlannedDevice {
  readonly name: string
  /** Who makes it: the target, or the description itself. */
  readonly by: 'target' | 'program'
  /** As `describe` shows them. */
  readonly options: string
  /** Where its description is: `['devices', 'http', 'needs', 'stack']`, or below `target`. */
  readonly path: readonly string[]
  /** By the name it has for the device, the place in the plan of what it needs. */
  readonly needs: Readonly<Record<string, number>>
}

export interface Plan {
  /** In the order in which they are connected. */
  readonly order: readonly PlannedDevice[]
  /** Of the program, by their names there: the place in `order`. */
  readonly devices: Readonly<Record<string, number>>
}

/** @throws DeviceError for a circle, or a device that the target lacks */
export function planOf(devices: Devices, target: Target, elsewhere: Elsewhere = {}): Plan {
  const places = new Map<Identity, number>(order(devices, target, elsewhere).map((device, i) => [identity(device), i]))
  const planned: PlannedDevice[] = []
  const visit = (device: Device<any>, path: readonly string[]): number => {
    const place = places.get(identity(device))!
    if (planned[place] === undefined) {
      const needs = Object.entries(needsOf(device, target)).map(([name, need]) => {
        const own = Object.hasOwn(device.needs, name)
        return [name, visit(need, own ? [...path, 'needs', name] : ['target', 'kinds', device.name, name])] as const
      })
      planned[place] = {
        name: device.name,
        by: isOwn(device, target) ? 'program' : 'target',
        options: describeOptions(device.options).trim(),
        path,
        needs: Object.fromEntries(needs),
      }
    }
    return place
  }
  const roots = Object.entries(devices).map(([name, device]) => [name, visit(device, ['devices', name])] as const)
  return { order: planned, devices: Object.fromEntries(roots) }
}
