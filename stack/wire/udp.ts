/** UDP (RFC 768). Word offsets count from the start of the UDP header. */
import type { Frame, HostFunctions } from '@xen-ts/runtime/machine'
import { swap16 } from './ethernet.ts'

export const PROTOCOL_UDP = 17

export const UDP_SOURCE = 0
export const UDP_DESTINATION = 1
export const UDP_LENGTH = 2
export const UDP_CHECKSUM = 3
export const UDP_BYTES = 8

/** Whether a datagram's checksum is right, or it has none: `length` bytes from `at` on, the sum of its addresses is `sum`. */
export function hasGoodUdpSum(abi: Pick<HostFunctions, 'checksum'>, { u8, u16 }: Frame, at: number, length: number, sum: number): boolean {
  if (length < UDP_BYTES) return true // malformed, which its receiver finds
  const word = at >>> 1
  const size = swap16(u16[word + UDP_LENGTH])
  if (u16[word + UDP_CHECKSUM] === 0 || size > length) return true
  return abi.checksum(u8, at, size, sum + (PROTOCOL_UDP << 8) + swap16(size)) === 0xffff
}
