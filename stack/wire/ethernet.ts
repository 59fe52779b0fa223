/**
 * Ethernet II (IEEE 802.3). Offsets here and in the other files of this folder are in 16-bit words from the start of the frame,
 * for a frame's `u16`; a big-endian field read that way has its bytes swapped, and constants to compare with are written swapped.
 */
export const ETH_SOURCE = 3
export const ETH_TYPE = 6
/** Header length in bytes. */
export const ETH_BYTES = 14

/** EtherTypes as a little-endian machine reads them: 0x0800, 0x0806 and 0x86dd. */
export const TYPE_IPV4 = 0x0008
export const TYPE_ARP = 0x0608
export const TYPE_IPV6 = 0xdd86

/** First word of the MAC addresses of IPv6's groups: 33:33 (RFC 2464 section 7). */
export const IPV6_GROUP = 0x3333

/** Swaps the bytes of a 16-bit number: host order to network order and back. */
export function swap16(value: number): number {
  return ((value & 0xff) << 8) | (value >>> 8)
}

/** A MAC address as three words, as they stand in a frame. */
export type MacWords = Uint16Array

export function macWords(mac: Uint8Array): MacWords {
  if (mac.length !== 6) throw new RangeError(`a MAC address has 6 bytes, this one ${mac.length}`)
  return new Uint16Array([mac[0] | (mac[1] << 8), mac[2] | (mac[3] << 8), mac[4] | (mac[5] << 8)])
}

export function formatMac(mac: MacWords): string {
  return Array.from(mac, word => `${octet(word & 0xff)}:${octet(word >>> 8)}`).join(':')
}

const octet = (value: number): string => (value < 16 ? '0' : '') + value.toString(16)

export const BROADCAST_MAC: MacWords = new Uint16Array([0xffff, 0xffff, 0xffff])

export const isSame = (a: MacWords, b: MacWords): boolean => a[0] === b[0] && a[1] === b[1] && a[2] === b[2]

/** Whether it can be one station's: no group (the lowest bit of the first octet), and not all zero. */
export const isUnicast = (mac: MacWords): boolean => (mac[0] & 1) === 0 && (mac[0] | mac[1] | mac[2]) !== 0

/** Whether a frame goes to `mac`. */
export const isTo = (u16: Uint16Array, mac: MacWords): boolean => u16[0] === mac[0] && u16[1] === mac[1] && u16[2] === mac[2]

export function writeEthernet(u16: Uint16Array, destination: MacWords, source: MacWords, type: number): void {
  u16[0] = destination[0]
  u16[1] = destination[1]
  u16[2] = destination[2]
  u16[3] = source[0]
  u16[4] = source[1]
  u16[5] = source[2]
  u16[ETH_TYPE] = type
}
