/** Puts right checksums into frames, byte by byte, unlike the code that is tested. What has none, or too few bytes for one, stays as it is. */

const ETHERNET = 14
const read16 = (bytes: Uint8Array, at: number): number => (bytes[at] << 8) | bytes[at + 1]

function write16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8
  bytes[at + 1] = value
}

/** One's complement sum of 16-bit words (RFC 1071), not inverted. */
function sum(bytes: Uint8Array, from: number, to: number, initial = 0): number {
  let total = initial
  for (let at = from; at < to; at += 2) total += (bytes[at] << 8) | (at + 1 < to ? bytes[at + 1] : 0)
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16)
  return total
}

/** Where the checksum of a transport stands, by protocol number, and whether the addresses are in its sum. */
const transports: ReadonlyMap<number, { at: number; least: number; pseudo: boolean }> = new Map([
  [1, { at: 2, least: 4, pseudo: false }],
  [6, { at: 16, least: 18, pseudo: true }],
  [17, { at: 6, least: 8, pseudo: true }],
])

/** The header's of an IPv4 packet alone: of a fragment, what follows it has no sum of its own. */
export function correctHeader(frame: Uint8Array): void {
  const payload = ETHERNET + (frame[ETHERNET] & 15) * 4
  write16(frame, ETHERNET + 10, 0)
  write16(frame, ETHERNET + 10, ~sum(frame, ETHERNET, payload))
}

function correctIpv4(frame: Uint8Array): void {
  const header = (frame[ETHERNET] & 15) * 4
  const end = Math.min(ETHERNET + read16(frame, ETHERNET + 2), frame.length)
  const payload = ETHERNET + header
  if (header < 20 || payload > frame.length) return
  correctHeader(frame)
  const transport = transports.get(frame[ETHERNET + 9])
  if (transport === undefined || end < payload + transport.least) return
  // UDP has a length of its own, which is in its sum.
  const length = frame[ETHERNET + 9] === 17 ? Math.min(read16(frame, payload + 4), end - payload) : end - payload
  if (length < transport.least) return
  write16(frame, payload + transport.at, 0)
  const pseudo = transport.pseudo ? sum(frame, ETHERNET + 12, ETHERNET + 20, frame[ETHERNET + 9] + length) : 0
  const value = ~sum(frame, payload, payload + length, pseudo) & 0xffff
  write16(frame, payload + transport.at, frame[ETHERNET + 9] === 17 && value === 0 ? 0xffff : value)
}

/** Behind extension headers too, as far as there is room for them; what is in a fragment has no sum of its own. */
function correctIpv6(frame: Uint8Array): void {
  const end = Math.min(ETHERNET + 40 + read16(frame, ETHERNET + 4), frame.length)
  let at = ETHERNET + 40
  let protocol = frame[ETHERNET + 6]
  while ((protocol === 0 || protocol === 43 || protocol === 60) && at + 8 <= end) {
    protocol = frame[at]
    at += 8 + 8 * frame[at + 1]
  }
  const transport = transports.get(protocol === 58 ? 1 : protocol)
  if (transport === undefined || protocol === 1 || end < at + transport.least) return
  const length = protocol === 17 ? Math.min(read16(frame, at + 4), end - at) : end - at
  if (length < transport.least) return
  write16(frame, at + transport.at, 0)
  const value = ~sum(frame, at, at + length, sum(frame, ETHERNET + 8, ETHERNET + 40, protocol + length)) & 0xffff
  write16(frame, at + transport.at, protocol === 17 && value === 0 ? 0xffff : value)
}

/** A family more is a line here. */
const families: ReadonlyMap<number, (frame: Uint8Array) => void> = new Map([
  [0x0800, correctIpv4],
  [0x86dd, correctIpv6],
])

/** Corrects `frame` in place. */
export function correctChecksums(frame: Uint8Array): void {
  if (frame.length >= ETHERNET + (frame[12] === 8 ? 20 : 40)) families.get(read16(frame, 12))?.(frame)
}
