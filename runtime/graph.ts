/** The device graph: order, sharing, connecting, and its description in words. */
import type { Device, DeviceContext, Devices } from './device.ts'
import type { Elsewhere, Platform, Target } from './target.ts'
import { UsageError } from './usage-error.ts'

/** What is wrong with a program's devices on a target, known before any is connected. */
export class DeviceError extends UsageError {
  override name = 'DeviceError'
  /** The description that it is about, where there is one. */
  readonly device: Device<any> | undefined

  constructor(message: string, device?: Device<any>) {
    super(message)
    this.device = device
  }
}

export type Identity = string | Device<any>
/** What two descriptions of one device have in common. */
export const identity = (device: Device<any>): Identity => device.key ?? device

/** All that must be connected first, including what the target's provider adds. */
export function needsOf(device: Device<any>, target: Target): Devices {
  return isOwn(device, target) ? device.needs : { ...target.kinds[device.name], ...device.needs }
}

/** Whether the description says itself how to connect. */
export const isOwn = (device: Device<any>, target: Target): boolean => Object.hasOwn(device.on, target.name) || device.connect !== undefined

/**
 * The devices in the order they are connected: each once, after all it needs. Throws a DeviceError for a circle or a device that the target
 * lacks. `elsewhere`: where that exists, as far as is known.
 */
export function order(devices: Devices, target: Target, elsewhere: Elsewhere = {}): Device<any>[] {
  const done = new Set<Identity>()
  const result: Device<any>[] = []
  const visit = (device: Device<any>, path: readonly Device<any>[]): void => {
    const id = identity(device)
    if (done.has(id)) return
    const start = path.findIndex(above => identity(above) === id)
    if (start >= 0) {
      const circle = [...path.slice(start), device].map(one => one.name).join(' -> ')
      throw new DeviceError(`devices need each other in a circle: ${circle}; take one of these out of 'needs'`, device)
    }
    checkExists(device, target, elsewhere)
    for (const need of Object.values(needsOf(device, target))) visit(need, [...path, device])
    done.add(id)
    result.push(device)
  }
  for (const [name, device] of Object.entries(devices)) {
    if (typeof device?.name !== 'string' || typeof device.needs !== 'object') {
      throw new DeviceError(`devices.${name} is not a device description; write for example ${name}: http() or ${name}: device({ ... })`)
    }
    visit(device, [])
  }
  return result
}

function checkExists(device: Device<any>, target: Target, elsewhere: Elsewhere): void {
  if (isOwn(device, target) || Object.hasOwn(target.kinds, device.name)) return
  const own = Object.keys(device.on)
  const where = own.length > 0 ? own : Object.hasOwn(elsewhere, device.name) ? elsewhere[device.name] : []
  if (where.length === 0) throw new DeviceError(`${device.name}: not on target ${target.name}`, device)
  throw new DeviceError(
    `${device.name}: only on target${where.length > 1 ? 's' : ''} ${where.join(', ')} (target is ${target.name})`,
    device,
  )
}

/** Connects a device when it is asked for first. */
export type Later<T = any> = () => Promise<T>

/** What a generated main.ts is given to say which devices there are. */
export interface Wiring {
  /** The program's descriptions, by their names. */
  readonly devices: Readonly<Record<string, any>>
  /** A device, made once, when it is asked for first, after these. */
  once<T>(device: Device<T>, needs?: Readonly<Record<string, Later>>): Later<T>
}

/** What main.ts says: the devices of the program, by their names. */
export type Wire = (wiring: Wiring) => Readonly<Record<string, Later>>

/** Connects devices, each once however often it is asked for. */
export class Graph {
  readonly #target: Target
  readonly #platform: Platform
  readonly #context: (name: string) => DeviceContext
  readonly #connected = new Map<Identity, Promise<any>>()

  /** `context` makes the context for the device of a name. */
  constructor(target: Target, platform: Platform, context: (name: string) => DeviceContext) {
    this.#target = target
    this.#platform = platform
    this.#context = context
  }

  /** One device and all it needs. */
  async use<T>(device: Device<T>): Promise<T> {
    const { it } = await this.connect({ it: device })
    return it as T
  }

  /** All of a record, one after the other. The first that fails ends it; the lifecycle closes what was connected before. */
  async connect(devices: Devices): Promise<Record<string, unknown>> {
    for (const device of order(devices, this.#target)) await this.#one(device)
    return this.#resolve(devices)
  }

  /** All that a main.ts names, in its order. `devices`: of the program. */
  async connectWired(devices: Devices, wire: Wire): Promise<Record<string, unknown>> {
    const once = (device: Device<any>, needs: Readonly<Record<string, Later>> = {}): Later => {
      return () => this.#one(device, () => called(needs))
    }
    return called(wire({ devices, once }))
  }

  #one(device: Device<any>, needs = () => this.#resolve(needsOf(device, this.#target))): Promise<unknown> {
    const id = identity(device)
    let result = this.#connected.get(id)
    if (result === undefined) {
      result = this.#make(device, needs)
      this.#connected.set(id, result)
    }
    return result
  }

  async #make(device: Device<any>, connectNeeds: () => Promise<Record<string, unknown>>): Promise<unknown> {
    const context = this.#context(device.name)
    const needs = await connectNeeds()
    const own = device.on[this.#target.name]?.connect ?? device.connect
    const made = await (own !== undefined ? own(needs, context) : this.#platform.provide[device.name](needs, device.options, context))
    const dispose = made?.[Symbol.asyncDispose] ?? made?.[Symbol.dispose]
    if (typeof dispose === 'function') context.lifecycle.onShutdown(device.name, () => dispose.call(made))
    return made
  }

  async #resolve(devices: Devices): Promise<Record<string, unknown>> {
    const result: Record<string, unknown> = {}
    for (const [name, device] of Object.entries(devices)) result[name] = await this.#connected.get(identity(device))
    return result
  }
}

/** One after the other. */
async function called(devices: Readonly<Record<string, Later>>): Promise<Record<string, unknown>> {
  const result: Record<string, unknown> = {}
  for (const [name, get] of Object.entries(devices)) result[name] = await get()
  return result
}

/** The graph as an indented list; a device that stands there already is marked `(shared)`. */
export function describeGraph(devices: Devices, target: Target, elsewhere: Elsewhere = {}): string {
  order(devices, target, elsewhere)
  const seen = new Set<Identity>()
  const lines: string[] = []
  const visit = (name: string, device: Device<any>, depth: number): void => {
    const shared = seen.has(identity(device))
    const title = name === device.name ? name : `${name}: ${device.name}`
    lines.push(`${'  '.repeat(depth)}${title}${describeOptions(device.options)}${shared ? ' (shared)' : ''}`)
    if (shared) return
    seen.add(identity(device))
    for (const [need, inner] of Object.entries(needsOf(device, target))) visit(need, inner, depth + 1)
  }
  for (const [name, device] of Object.entries(devices)) visit(name, device, 0)
  return lines.join('\n')
}

/** ` (greeting Hi, files 3)`; empty without options. */
export function describeOptions(options: unknown): string {
  const texts = Object.entries(options ?? {}).map(([key, value]) => `${key} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
  return texts.length === 0 ? '' : ` (${texts.join(', ')})`
}
