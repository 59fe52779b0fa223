/** A frame of our own, which no device has given: for packets larger than one, or that no device sees. */
import type { Frame } from '@xen-ts/runtime/machine'

/** @param length in bytes */
export function newFrame(length: number): Frame {
  const u8 = new Uint8Array(length + (length & 1))
  return { u8, u16: new Uint16Array(u8.buffer) }
}
