/** In the place of device.ts while a program is examined: descriptions know where they were made. */
import { device as describeDevice, provided as describeProvided } from '../device.ts'

export * from '../device.ts'

/** The stack of the call. An enumerable property: it stays when a description is spread into another. */
export const madeAt = Symbol.for('xen-ts.made-at')

const placed = <D extends object>(description: D): D => Object.assign(description, { [madeAt]: new Error().stack })

export const device: typeof describeDevice = options => placed(describeDevice(options)) as any
export const provided: typeof describeProvided = (name, options) => placed(describeProvided(name, options)) as any
