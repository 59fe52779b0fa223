/**
 * IPv4 addresses: as text, as numbers, and which are special. Inside the stack they are int32 numbers in the order in which a
 * little-endian machine reads them from a packet: the first octet is the lowest byte. So an address is two 16-bit reads and no swap, and
 * it is equal, masked and hashed as it stands.
 */
export type Ipv4 = number

export const ANY: Ipv4 = 0
/** Limited broadcast: all hosts of the link. */
export const ALL: Ipv4 = -1

/** Dotted decimal, four numbers of 0..255 without leading zeros (they would be octal to some readers). undefined when it is not. */
export function parseIpv4(text: string): Ipv4 | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)
  if (match === null) return undefined
  let address = 0
  for (let i = 0; i < 4; i++) {
    const octet = match[i + 1]
    if (+octet > 255 || (octet.length > 1 && octet[0] === '0')) return undefined
    address |= +octet << (8 * i)
  }
  return address
}

export function formatIpv4(address: Ipv4): string {
  return `${address & 255}.${(address >>> 8) & 255}.${(address >>> 16) & 255}.${address >>> 24}`
}

/** The mask of the first `bits` bits, 0..32. */
export function prefixMask(bits: number): Ipv4 {
  if (bits === 0) return 0
  const mask = -1 << (32 - bits)
  return (mask >>> 24) | ((mask >>> 8) & 0xff00) | ((mask & 0xff00) << 8) | (mask << 24) | 0
}

/** Bits of a contiguous mask; undefined when the mask has a hole. */
export function maskBits(mask: Ipv4): number | undefined {
  for (let bits = 0; bits <= 32; bits++) if (prefixMask(bits) === mask) return bits
  return undefined
}

/** Addresses that no packet may come from or be sent to by unicast: 0/8, 127/8, and 224/3 (multicast, reserved, broadcast). */
export function isSpecial(address: Ipv4): boolean {
  const first = address & 255
  return first === 0 || first === 127 || first >= 224
}

/** 127/8: ourselves. */
export const isLoopback = (address: Ipv4): boolean => (address & 255) === 127

/**
 * Whether all bits behind the mask are 0 or all are 1: that is no host but the network, or all hosts in it (RFC 1122 section 3.2.1.3).
 * Networks of two addresses, or of one, have neither (RFC 3021).
 */
export function isWholeNetwork(address: Ipv4, mask: Ipv4, bits: number): boolean {
  const host = address & ~mask
  return bits < 31 && (host === 0 || host === ~mask)
}
