/** IPv4 (RFC 791). Word offsets in the frame, see ethernet.ts; the header stands right behind the Ethernet header. */
import type { HostFunctions } from '@xen-ts/runtime/machine'
import { fold } from './checksum.ts'
import { ETH_BYTES, swap16 } from './ethernet.ts'
import type { Ipv4 } from './ipv4-address.ts'

export const IP_VERSION = 7
export const IP_LENGTH = 8
export const IP_ID = 9
export const IP_FRAGMENT = 10
export const IP_PROTOCOL = 11
export const IP_CHECKSUM = 12
export const IP_SOURCE = 13
export const IP_DESTINATION = 15
/** Bytes of a header without options, and where the transport header then stands: in bytes and words of the frame. */
export const IP_BYTES = 20
export const IP_PAYLOAD = 34

/** More-fragments bit and offset, byte-swapped; what is left (0x0040) is don't-fragment. */
const FRAGMENT_BITS = 0xffff & ~0x0040 & ~0x0080

/** What checkIpv4 found wrong. */
export const IP_MALFORMED = -1
export const IP_BAD_CHECKSUM = -2
export const IP_FRAGMENTED = -3
export const IP_SOURCE_ROUTED = -4

/**
 * Checks a header. Returns the length of the header in bytes, or one of the negative results above. Lengths first: nothing
 * beyond `length`, the frame's length in bytes, is ever read.
 */
export function checkIpv4(abi: HostFunctions, u8: Uint8Array, u16: Uint16Array, length: number): number {
  if (length < ETH_BYTES + IP_BYTES) return IP_MALFORMED
  const version = u16[IP_VERSION] & 0xff
  const header = version === 0x45 ? IP_BYTES : (version & 0xf) * 4
  if (header < IP_BYTES || version >>> 4 !== 4) return IP_MALFORMED
  const total = swap16(u16[IP_LENGTH])
  if (total < header || total > length - ETH_BYTES) return IP_MALFORMED
  if (abi.checksum(u8, ETH_BYTES, header, 0) !== 0xffff) return IP_BAD_CHECKSUM
  if (header > IP_BYTES && !checkOptions(u8, ETH_BYTES + IP_BYTES, ETH_BYTES + header)) return IP_SOURCE_ROUTED
  return (u16[IP_FRAGMENT] & FRAGMENT_BITS) === 0 ? header : IP_FRAGMENTED
}

/** False for options that ask to route (loose and strict source route), or that run over their end: RFC 7126 drops those. */
function checkOptions(u8: Uint8Array, at: number, end: number): boolean {
  while (at < end) {
    const kind = u8[at]
    if (kind === 0) return true
    if (kind === 1) {
      at++
      continue
    }
    const size = at + 1 < end ? u8[at + 1] : 0
    if (kind === 131 || kind === 137 || size < 2 || at + size > end) return false
    at += size
  }
  return true
}

/** Bytes of the header, of a packet that was checked. */
export const ipHeaderBytes = (u16: Uint16Array): number => (u16[IP_VERSION] & 0xf) * 4
/** Where the piece of a fragment belongs, in bytes, and whether others come behind it. */
export const fragmentOffset = (u16: Uint16Array): number => fragmentOffsetAt(u16, IP_FRAGMENT)
/** The same of a header that is quoted: `word` has the field. */
export const fragmentOffsetAt = (u16: Uint16Array, word: number): number => (swap16(u16[word]) & 0x1fff) * 8
export const moreFragments = (u16: Uint16Array): boolean => (u16[IP_FRAGMENT] & 0x0020) !== 0

/** Protocol number: the second byte of the word with the time to live. */
export const ipProtocol = (u16: Uint16Array): number => u16[IP_PROTOCOL] >>> 8
/** Bytes of the packet from its version field on. */
export const ipLength = (u16: Uint16Array): number => swap16(u16[IP_LENGTH])

/** Makes a header that was just written, or the head of a fragment, one of a fragment, or of a whole packet when `offset` is 0 and nothing behind. */
export function markFragment(u16: Uint16Array, { id, offset, more }: { id: number; offset: number; more: boolean }): void {
  const field = swap16((offset >>> 3) | (more ? 0x2000 : 0))
  const sum = fold((~u16[IP_CHECKSUM] & 0xffff) + (~u16[IP_ID] & 0xffff) + (~u16[IP_FRAGMENT] & 0xffff)) + (id & 0xffff) + field
  u16[IP_ID] = id
  u16[IP_FRAGMENT] = field
  u16[IP_CHECKSUM] = ~fold(sum)
}

/** Sum of two addresses: their part of the pseudo header that TCP and UDP checksums begin with (RFC 9293 section 3.1). */
export function addressSum(source: Ipv4, destination: Ipv4): number {
  return fold((source & 0xffff) + (source >>> 16) + (destination & 0xffff) + (destination >>> 16))
}

/**
 * Writes a header of 20 bytes but for its length, which is 0. Don't-fragment is set, so that the identification may be 0
 * (RFC 6864) and routers report too big packets (RFC 1191).
 */
export function writeIpv4(u16: Uint16Array, source: Ipv4, destination: Ipv4, protocol: number): void {
  const ttlProtocol = 64 | (protocol << 8)
  u16[IP_VERSION] = 0x0045
  u16[IP_LENGTH] = 0
  u16[IP_ID] = 0
  u16[IP_FRAGMENT] = 0x0040
  u16[IP_PROTOCOL] = ttlProtocol
  u16[IP_SOURCE] = source
  u16[IP_SOURCE + 1] = source >>> 16
  u16[IP_DESTINATION] = destination
  u16[IP_DESTINATION + 1] = destination >>> 16
  const sum = 0x0045 + 0x0040 + ttlProtocol + (source & 0xffff) + (source >>> 16) + (destination & 0xffff) + (destination >>> 16)
  u16[IP_CHECKSUM] = ~fold(sum)
}
