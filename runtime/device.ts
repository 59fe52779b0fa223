/**
 * Devices are described as plain data and connected later, each once, in dependency order. A description either knows itself how to
 * connect (`connect`, `on`), or names a kind that the target provides (`provided`).
 */
import type { Lifecycle } from './lifecycle.ts'
import type { Log } from './log.ts'
import type { Machine } from './machine.ts'

declare const connected: unique symbol

export interface Device<T = unknown> {
  /** What it is called in messages; for a provided device, the kind. */
  readonly name: string
  /** What the provider needs to know. */
  readonly options: unknown
  /** Devices that are connected first. */
  readonly needs: Devices
  /** Two descriptions with the same key are one device. undefined: only the same object is. */
  readonly key: string | undefined
  readonly connect: Connect<T> | undefined
  /** By target, before `connect`. */
  readonly on: Readonly<Record<string, { readonly connect: Connect<T> }>>
  /** Exists for types only. */
  readonly [connected]?: T
}

export type Devices = Readonly<Record<string, Device<any>>>

/** The connected devices of a record of descriptions. */
export type Connected<D extends Devices> = { readonly [K in keyof D]: D[K] extends Device<infer T> ? T : never }

type Connect<T> = (needs: any, context: DeviceContext) => T | Promise<T>

export interface DeviceContext {
  readonly machine: Machine
  readonly lifecycle: Lifecycle
  /** Named after the device. */
  readonly log: Log
  /** Aborts on a shutdown request. */
  readonly signal: AbortSignal
  /** The target's own arguments (such as a static address). */
  readonly args: Readonly<Record<string, any>>
}

export interface DeviceOptions<T, N extends Devices> {
  readonly name: string
  readonly needs?: N
  /**
   * Makes the device from what it needs. When it has [Symbol.asyncDispose] or [Symbol.dispose], that is called at the end, in reverse
   * order.
   */
  readonly connect?: (needs: Connected<N>, context: DeviceContext) => T | Promise<T>
  /** The same by target, where targets differ: `on: { unix: { connect }, xen: { connect } }`. */
  readonly on?: Readonly<Record<string, { connect(needs: Connected<N>, context: DeviceContext): T | Promise<T> }>>
}

/** Describes a device of one's own. */
export function device<T, N extends Devices = {}>({ name, needs, connect, on = {} }: DeviceOptions<T, N>): Device<Awaited<T>> {
  if (typeof name !== 'string' || name === '') throw new TypeError('device(): name is missing; it stands in log lines and messages')
  if (connect === undefined && Object.keys(on).length === 0) {
    throw new TypeError(`device '${name}' has neither connect nor on: nothing says how to make it`)
  }
  return {
    name,
    options: undefined,
    needs: needs ?? {},
    key: undefined,
    connect: connect as Connect<Awaited<T>>,
    on: on as Device<Awaited<T>>['on'],
  }
}

/** Describes a device of a kind that targets provide; where it exists follows from what they say. Equal options give the same device. */
export function provided<T>(name: string, { options = {}, needs = {} }: { options?: object; needs?: Devices } = {}): Device<T> {
  return { name, options, needs, key: `${name} ${JSON.stringify(options)}`, connect: undefined, on: {} }
}
