/** What routes send on: the interface (interface.ts), or the loopback (loopback.ts). */
import { COMPLETE, type EthernetDevice, type Frame, type HostFunctions, type Machine } from '@xen-ts/runtime/machine'
import type { Counters } from '../counters.ts'
import { ETH_BYTES, type MacWords, macWords } from '../wire/ethernet.ts'
import { ErrorLimit } from './error-limit.ts'
import type { Neighbour } from './neighbour.ts'
import { PathMtus } from './path-mtu.ts'

export class Link {
  readonly abi: HostFunctions
  readonly device: EthernetDevice
  readonly counters: Counters
  readonly mac: MacWords
  /** For both families: what is known of paths, and how many ICMP errors may go out. */
  readonly paths: PathMtus
  readonly errorLimit: ErrorLimit
  /** Bytes of the longest frame on the link. Only those of TCP can be longer: a device may leave it to us to take them uncut. */
  longest: number

  constructor(machine: Machine, device: EthernetDevice, counters: Counters) {
    this.abi = machine.abi
    this.device = device
    this.counters = counters
    this.mac = macWords(device.mac)
    this.paths = new PathMtus(machine.timers)
    this.errorLimit = new ErrorLimit(machine.timers)
    this.longest = ETH_BYTES + device.mtu
  }

  /** A frame to build a packet in, or undefined (counted): then the packet is lost, as on any wire. `length`: see EthernetDevice. */
  reserve(length = 0): Frame | undefined {
    const frame = this.device.reserve(length)
    if (frame === undefined) this.counters.noFrame++
    return frame
  }

  /** Sends a finished frame, or keeps it until the neighbour's MAC address is known. `offload`: see EthernetDevice.send. */
  transmit(hop: Neighbour, frame: Frame, length: number, offload = COMPLETE): void {
    this.counters.framesOut++
    if (hop.mac !== undefined) {
      this.device.send(frame, length, offload)
    } else if (!hop.hold(frame, length, offload)) {
      this.counters.noRoute++
      this.device.discard(frame)
    }
  }
}
