/**
 * Files of packets as Wireshark reads them: pcapng (draft-ietf-opsawg-pcapng). One section with one interface, little-endian, in
 * nanoseconds. Bytes only; recorder.ts is what listens to a device.
 */

const SECTION_HEADER = 0x0a0d0d0a
const INTERFACE_DESCRIPTION = 1
const ENHANCED_PACKET = 6
const BYTE_ORDER = 0x1a2b3c4d
const LINKTYPE_ETHERNET = 1

/** Codes of options, by block (sections 3.5, 4.1, 4.2 and 4.3). */
const END_OF_OPTIONS = 0
const COMMENT = 1
const SECTION_APPLICATION = 4
const INTERFACE_NAME = 2
const INTERFACE_MAC = 6
const INTERFACE_RESOLUTION = 9
const PACKET_FLAGS = 2

/** Values of the flags: direction in the two lowest bits, kind of address in the next three. */
const INBOUND = 1
const OUTBOUND = 2
const UNICAST = 1 << 2
const MULTICAST = 2 << 2
const BROADCAST = 3 << 2

/** Comments longer than this are cut: the length of an option has 16 bits. */
const LONGEST_COMMENT = 4096

export interface InterfaceInfo {
  readonly name: string
  readonly mac: Uint8Array
  /** Bytes of a packet that are kept at most; 0: all. */
  readonly snapLength: number
}

export interface Packet {
  /** Nanoseconds since 1970-01-01 UTC. */
  readonly time: bigint
  readonly outbound: boolean
  /** From the Ethernet header on; perhaps not all of it. */
  readonly bytes: Uint8Array
  /** How long it was on the wire. */
  readonly length: number
  readonly comment?: string | undefined
}

/** What a file begins with: its section, and its interface, number 0. @param application who writes it */
export function writeHeader(application: string, { name, mac, snapLength }: InterfaceInfo): Uint8Array {
  const section = block(SECTION_HEADER, 16, [[SECTION_APPLICATION, text(application)]])
  section.setUint32(8, BYTE_ORDER, true)
  section.setUint16(12, 1, true) // version 1.0
  section.setBigInt64(16, -1n, true) // its length is not known
  const description = block(INTERFACE_DESCRIPTION, 8, [
    [INTERFACE_NAME, text(name)],
    [INTERFACE_MAC, mac],
    [INTERFACE_RESOLUTION, Uint8Array.of(9)], // 10^-9 s
  ])
  description.setUint16(8, LINKTYPE_ETHERNET, true)
  description.setUint32(12, snapLength, true)
  return concat([bytesOf(section), bytesOf(description)])
}

export function writePacket({ time, outbound, bytes, length, comment }: Packet): Uint8Array {
  const flags = new Uint8Array(4)
  flags[0] = (outbound ? OUTBOUND : INBOUND) | kindOfAddress(bytes)
  const options: [number, Uint8Array][] = [[PACKET_FLAGS, flags]]
  if (comment !== undefined) options.push([COMMENT, text(comment.slice(0, LONGEST_COMMENT))])
  const packet = block(ENHANCED_PACKET, 20 + padded(bytes.length), options)
  packet.setUint32(12, Number(time >> 32n), true)
  packet.setUint32(16, Number(time & 0xffffffffn), true)
  packet.setUint32(20, bytes.length, true)
  packet.setUint32(24, length, true)
  const whole = bytesOf(packet)
  whole.set(bytes, 28)
  return whole
}

/** Bytes that a packet takes in the file, without its comment. */
export const packetBytes = (captured: number): number => 12 + 20 + padded(captured) + 12

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

function kindOfAddress(bytes: Uint8Array): number {
  if (bytes.length < 6) return 0
  if ((bytes[0] & 1) === 0) return UNICAST
  for (let i = 0; i < 6; i++) if (bytes[i] !== 0xff) return MULTICAST
  return BROADCAST
}

/** A block with its type, both lengths and its options; the body of `size` bytes, a multiple of 4, is left to the caller. */
function block(type: number, size: number, options: readonly (readonly [code: number, value: Uint8Array])[]): DataView {
  const length = options.reduce((sum, [, value]) => sum + 4 + padded(value.length), 12 + size + 4)
  const view = new DataView(new ArrayBuffer(length))
  view.setUint32(0, type, true)
  view.setUint32(4, length, true)
  let at = 8 + size
  for (const [code, value] of options) {
    view.setUint16(at, code, true)
    view.setUint16(at + 2, value.length, true)
    bytesOf(view).set(value, at + 4)
    at += 4 + padded(value.length)
  }
  view.setUint16(at, END_OF_OPTIONS, true)
  view.setUint32(length - 4, length, true)
  return view
}

const padded = (length: number): number => (length + 3) & ~3
const bytesOf = (view: DataView): Uint8Array => new Uint8Array(view.buffer)
const text = (value: string): Uint8Array => new TextEncoder().encode(value)
