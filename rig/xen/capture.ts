/** What goes through a network interface of dom0, as it goes: the other end of dom0/capture.c. */
import type { Duplex } from 'node:stream'
import { RigError } from './errors.ts'
import { readLine } from './link.ts'
import type { Rig } from './rig.ts'

export interface CapturedPacket {
  /** Nanoseconds since 1970-01-01 UTC, by dom0's clock. */
  readonly time: bigint
  /** It came out of the interface: of a vif, the guest has sent it. */
  readonly inbound: boolean
  /** Its checksum is left to a device: in the bytes there is the sum of the pseudo header only. */
  readonly blankChecksum: boolean
  /** From the Ethernet header on. */
  readonly bytes: Uint8Array
  /** How long it was. */
  readonly length: number
  /** So many packets before this one were not captured: they came faster than they were read. */
  readonly lost: number
}

export interface Capture {
  /** Resolves when everything that was captured has been told, or the machine has stopped. */
  readonly ended: Promise<void>
  /** Ends it. */
  end(): void
}

const HEADER = 20
const INBOUND = 1
const BLANK_CHECKSUM = 2
const LOST = 4

/** Cuts the tool's output, which comes in pieces of any length, into packets. */
export function recordReader(onPacket: (packet: CapturedPacket) => void): (part: Uint8Array) => void {
  let rest: Uint8Array = new Uint8Array(0)
  let lost = 0
  return part => {
    rest = rest.length === 0 ? part : Buffer.concat([rest, part])
    let at = 0
    while (rest.length - at >= HEADER) {
      const view = new DataView(rest.buffer, rest.byteOffset + at)
      const flags = view.getUint32(8, true)
      const kept = view.getUint32(12, true)
      const length = view.getUint32(16, true)
      if (rest.length - at < HEADER + kept) break
      const bytes = rest.slice(at + HEADER, at + HEADER + kept)
      at += HEADER + kept
      if ((flags & LOST) !== 0) {
        lost += length
        continue
      }
      const time = view.getBigUint64(0, true)
      onPacket({ time, inbound: (flags & INBOUND) !== 0, blankChecksum: (flags & BLANK_CHECKSUM) !== 0, bytes, length, lost })
      lost = 0
    }
    rest = rest.subarray(at)
  }
}

/**
 * Captures from when the promise resolves until `end`, or until the interface is gone.
 * @param name `vif5.0` is the first network device of domain 5
 * @throws RigError when there is no such interface
 */
export async function captureInterface(
  rig: Pick<Rig, 'spawn'>,
  name: string,
  onPacket: (packet: CapturedPacket) => void,
): Promise<Capture> {
  const stream: Duplex = await rig.spawn(`exec capture ${name}`)
  stream.on('error', () => {})
  const answer = await readLine(stream).catch(() => undefined)
  if (answer !== 'capturing') {
    stream.destroy()
    throw new RigError(`dom0 cannot capture ${name}`, answer, 'Does the domain have a network device? xl network-list tells.')
  }
  const ended = new Promise<void>(resolve => stream.once('close', resolve))
  stream.on('data', recordReader(onPacket))
  return { ended, end: () => void stream.end() }
}
