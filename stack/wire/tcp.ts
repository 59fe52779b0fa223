/** TCP segments (RFC 9293 section 3.1). Word offsets count from the start of the TCP header, see ethernet.ts. */
import { ACKNOWLEDGMENT, ECHO_AT, FLAGS, LENGTH, OFFSET, PORTS, SEQUENCE, STAMP_HIGH, STAMP_LOW, WINDOW } from '@xen-ts/runtime/machine'
import { swap16 } from './ethernet.ts'

export const PROTOCOL_TCP = 6

export const TCP_SOURCE = 0
export const TCP_DESTINATION = 1
export const TCP_SEQUENCE = 2
export const TCP_ACKNOWLEDGMENT = 4
export const TCP_OFFSET_FLAGS = 6
export const TCP_WINDOW = 7
export const TCP_CHECKSUM = 8
export const TCP_URGENT = 9
export const TCP_OPTIONS = 10
/** Bytes of a header without options. */
export const TCP_BYTES = 20
/** Bytes of the timestamps option with what aligns it (RFC 7323 appendix A), which is on every segment of a connection or on none. */
export const STAMP_BYTES = 12

export const FIN = 0x01
export const SYN = 0x02
export const RST = 0x04
export const PSH = 0x08
export const ACK = 0x10

/** What MSS to assume when the peer's SYN names none (RFC 9293 section 3.7.1), and the least we believe: smaller is an attack. */
export const DEFAULT_MSS = 536
export const LEAST_MSS = 88

/**
 * A received segment. There is one of these for a whole stack, filled again for each segment: it and the bytes it points to are
 * valid only while the segment is dealt with. Sequence numbers are int32, see tcp/sequence.ts.
 */
export class Segment {
  /** In host order. */
  remotePort = 0
  localPort = 0
  sequence = 0
  acknowledgment = 0
  flags = 0
  /** As it stands in the header, unscaled. */
  window = 0
  /** Payload: `length` bytes of `bytes` from `offset` on. */
  bytes: Uint8Array = EMPTY
  offset = 0
  length = 0
  /** Options of a SYN: maximum segment size, 0 when absent; window scale shift, -1 when absent; selective acknowledgment permitted. */
  mss = 0
  scale = -1
  sack = false
  /** Of a timestamps option: TSval as two words as they stand in the frame, and the byte in `bytes` where TSecr begins. stampLow is -1 without. */
  stampHigh = 0
  stampLow = -1
  echoAt = 0
  /** Blocks of a SACK option, at most 4: pairs of first and next sequence number. */
  blocks = 0
  readonly edges: number[] = [0, 0, 0, 0, 0, 0, 0, 0]

  get stamped(): boolean {
    return this.stampLow >= 0
  }

  get stamp(): number {
    return (swap16(this.stampHigh) << 16) | swap16(this.stampLow)
  }

  /** Of ours, the one that the peer has got last; only when `stamped`. */
  get echo(): number {
    return readNumber(this.bytes, this.echoAt)
  }
}

const EMPTY = new Uint8Array(0)

/**
 * Fills `segment` from the TCP header at byte `at` (even) of a frame, `length` bytes with payload. False when lengths contradict
 * each other. The checksum is the caller's.
 */
export function parseTcp(u8: Uint8Array, u16: Uint16Array, at: number, length: number, segment: Segment): boolean {
  if (length < TCP_BYTES) return false
  const word = at >>> 1
  const offsetFlags = u16[word + TCP_OFFSET_FLAGS]
  const header = (offsetFlags & 0xf0) >>> 2
  if (header < TCP_BYTES || header > length) return false
  let value = u16[word]
  segment.remotePort = ((value & 0xff) << 8) | (value >>> 8)
  value = u16[word + TCP_DESTINATION]
  segment.localPort = ((value & 0xff) << 8) | (value >>> 8)
  let low = u16[word + TCP_SEQUENCE + 1]
  value = u16[word + TCP_SEQUENCE]
  segment.sequence = ((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((low & 0xff) << 8) | (low >>> 8)
  low = u16[word + TCP_ACKNOWLEDGMENT + 1]
  value = u16[word + TCP_ACKNOWLEDGMENT]
  segment.acknowledgment = ((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((low & 0xff) << 8) | (low >>> 8)
  const flags = offsetFlags >>> 8
  segment.flags = flags
  value = u16[word + TCP_WINDOW]
  segment.window = ((value & 0xff) << 8) | (value >>> 8)
  segment.bytes = u8
  segment.offset = at + header
  segment.length = length - header
  segment.stampLow = -1
  segment.blocks = 0
  if ((flags & SYN) !== 0) {
    segment.mss = 0
    segment.scale = -1
    segment.sack = false
  } else if (header === TCP_BYTES) {
    return true
  } else if (header === TCP_BYTES + STAMP_BYTES && u16[word + TCP_OPTIONS] === 0x0101 && u16[word + TCP_OPTIONS + 1] === 0x0a08) {
    // And nothing else, as on nearly every segment.
    segment.stampHigh = u16[word + TCP_OPTIONS + 2]
    segment.stampLow = u16[word + TCP_OPTIONS + 3]
    segment.echoAt = at + TCP_BYTES + 8
    return true
  }
  parseOptions(u8, at + TCP_BYTES, at + header, segment)
  return true
}

/** Fills `segment` from what the ABI's packetIn has read from a frame's bytes: no SYN, so what a SYN has stays as it is. */
export function takeArrival(u8: Uint8Array, record: Int32Array, segment: Segment): void {
  const ports = record[PORTS]
  segment.remotePort = ports & 0xffff
  segment.localPort = ports >>> 16
  segment.sequence = record[SEQUENCE]
  segment.acknowledgment = record[ACKNOWLEDGMENT]
  segment.flags = record[FLAGS]
  segment.window = record[WINDOW]
  segment.bytes = u8
  segment.offset = record[OFFSET]
  segment.length = record[LENGTH]
  segment.blocks = 0
  if ((segment.stampLow = record[STAMP_LOW]) < 0) return
  segment.stampHigh = record[STAMP_HIGH]
  segment.echoAt = record[ECHO_AT]
}

/** Options (RFC 9293 section 3.2). An option that runs over the end stops the reading: what was read before counts. */
function parseOptions(u8: Uint8Array, at: number, end: number, segment: Segment): void {
  const isSyn = (segment.flags & SYN) !== 0
  while (at < end) {
    const kind = u8[at]
    if (kind === 0) return
    if (kind === 1) {
      at++
      continue
    }
    const size = at + 1 < end ? u8[at + 1] : 0
    if (size < 2 || at + size > end) return
    if (kind === 8 && size === 10) {
      segment.stampHigh = u8[at + 2] | (u8[at + 3] << 8)
      segment.stampLow = u8[at + 4] | (u8[at + 5] << 8)
      segment.echoAt = at + 6
    } else if (!isSyn) {
      if (kind === 5 && (size - 2) % 8 === 0 && size <= 34) {
        segment.blocks = (size - 2) >>> 3
        for (let i = 0; i < 2 * segment.blocks; i++) segment.edges[i] = readNumber(u8, at + 2 + 4 * i)
      }
    } else if (kind === 2 && size === 4) {
      segment.mss = (u8[at + 2] << 8) | u8[at + 3]
    } else if (kind === 4 && size === 2) {
      segment.sack = true
    } else if (kind === 3 && size === 3) {
      segment.scale = u8[at + 2] > 14 ? 14 : u8[at + 2]
    }
    at += size
  }
}

const readNumber = (u8: Uint8Array, at: number): number => (u8[at] << 24) | (u8[at + 1] << 16) | (u8[at + 2] << 8) | u8[at + 3]

/** Writes a header without options but for the checksum; `word` is where it begins. Ports in host order, flags as above. */
export function writeTcp(
  u16: Uint16Array,
  word: number,
  sourcePort: number,
  destinationPort: number,
  sequence: number,
  acknowledgment: number,
  flags: number,
  window: number,
  headerBytes = TCP_BYTES,
): void {
  u16[word + TCP_SOURCE] = swap16(sourcePort)
  u16[word + TCP_DESTINATION] = swap16(destinationPort)
  u16[word + TCP_SEQUENCE] = swap16(sequence >>> 16)
  u16[word + TCP_SEQUENCE + 1] = swap16(sequence & 0xffff)
  u16[word + TCP_ACKNOWLEDGMENT] = swap16(acknowledgment >>> 16)
  u16[word + TCP_ACKNOWLEDGMENT + 1] = swap16(acknowledgment & 0xffff)
  u16[word + TCP_OFFSET_FLAGS] = (headerBytes << 2) | (flags << 8)
  u16[word + TCP_WINDOW] = swap16(window)
  u16[word + TCP_CHECKSUM] = 0
  u16[word + TCP_URGENT] = 0
}

export interface SynOptions {
  readonly mss: number
  /** Window scale, 0..14; -1 for none. */
  readonly scale: number
  readonly sack: boolean
  /** TSval and TSecr; undefined for none. */
  readonly stamps: readonly [number, number] | undefined
}

/** Writes the options of a SYN at `word`. Returns their length in bytes. */
export function writeSynOptions(u16: Uint16Array, word: number, { mss, scale, sack, stamps }: SynOptions): number {
  u16[word] = 0x0402
  u16[word + 1] = swap16(mss)
  let at = word + 2
  if (scale >= 0) {
    u16[at++] = 0x0301 // no-operation, kind 3
    u16[at++] = 0x0003 | (scale << 8)
  }
  if (sack || stamps !== undefined) u16[at++] = sack && stamps !== undefined ? 0x0204 : 0x0101
  if (stamps !== undefined) {
    u16[at++] = 0x0a08
    for (const stamp of stamps) {
      u16[at++] = swap16(stamp >>> 16)
      u16[at++] = swap16(stamp & 0xffff)
    }
  } else if (sack) {
    u16[at++] = 0x0204
  }
  return (at - word) * 2
}

/** Writes a SACK option (RFC 2018) with what aligns it: `blocks` holds pairs of first and next sequence number. Returns its length in bytes. */
export function writeSack(u16: Uint16Array, word: number, blocks: readonly number[]): number {
  u16[word] = 0x0101
  u16[word + 1] = 0x0005 | ((2 + 4 * blocks.length) << 8)
  let at = word + 2
  for (const edge of blocks) {
    u16[at++] = swap16(edge >>> 16)
    u16[at++] = swap16(edge & 0xffff)
  }
  return (at - word) * 2
}
