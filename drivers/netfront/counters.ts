import type { DeviceCounters } from '@xen-ts/runtime/machine'

/** Of all connections that the device has had. */
export class NetfrontCounters implements DeviceCounters {
  receiveErrors = 0
  sendErrors = 0
  sendLost = 0
  broken = 0
}
