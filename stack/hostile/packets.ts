/** Packets made by hand: segments near the edges of the window of a connection that exists, and what else is worth a try. */

import { formatIpv6 as formatGroups } from '@xen-ts/runtime/web'
import { correctHeader } from './checksums.ts'
import { ATTACKER } from './corpus.ts'
import type { Dice } from './dice.ts'
import { be16, be32, ICMP, macOf, packet } from './frame.ts'

/** What the attacker knows of a connection from the victim's last segment. Sequence numbers are int32. */
export interface Seen {
  readonly attacker: string
  readonly victimPort: number
  readonly attackerPort: number
  /** The first byte that the victim did not send yet, and the first that it has not received; and its window, unscaled. */
  readonly next: number
  readonly expected: number
  readonly window: number
  /** The victim has reset it. */
  readonly isOver: boolean
  /** The segment itself, from its IP header on: for ICMP to quote. */
  readonly packet: Uint8Array
}

const text = (value: string): Uint8Array => Uint8Array.from(value, c => c.charCodeAt(0))

/** What the victim's segment in `frame` tells; undefined when it is none. */
export function readSeen(frame: Uint8Array): Seen | undefined {
  const isIpv6 = frame[12] === 0x86
  const at = isIpv6 ? 54 : 34
  const isTcp = isIpv6 ? frame[13] === 0xdd && frame[20] === 6 : frame[12] === 8 && frame[13] === 0 && frame[23] === 6
  if (frame.length < at + 20 || !isTcp) return undefined
  const view = new DataView(frame.buffer, frame.byteOffset)
  const flags = frame[at + 13]
  const size = isIpv6 ? view.getUint16(18) : view.getUint16(16) - 20
  const length = size - (frame[at + 12] >>> 4) * 4 + (flags & 1) + ((flags >>> 1) & 1)
  return {
    attacker: isIpv6 ? address6(frame, 38) : [...frame.subarray(30, 34)].join('.'),
    victimPort: view.getUint16(at),
    attackerPort: view.getUint16(at + 2),
    next: (view.getInt32(at + 4) + length) | 0,
    expected: view.getInt32(at + 8),
    window: view.getUint16(at + 14),
    isOver: (flags & 4) !== 0,
    packet: frame.slice(14),
  }
}

/** The address of IPv6 at a byte of a frame, as text. */
export const address6 = (frame: Uint8Array, at: number): string =>
  formatGroups(Array.from({ length: 8 }, (_, i) => (frame[at + 2 * i] << 8) | frame[at + 2 * i + 1]))

const flagSets = [0x02, 0x10, 0x10, 0x10, 0x18, 0x18, 0x11, 0x01, 0x04, 0x14, 0x12, 0x03, 0x00, 0x3f, 0xff, 0x29]
/** Options of TCP (RFC 9293 section 3.2, RFC 7323, RFC 2018), right and wrong. */
const optionSets = [
  [],
  [],
  [2, 4, 5, 0xb4, 1, 3, 3, 7, 4, 2, 1, 1],
  [2, 4, 0, 0],
  [2, 4, 0xff, 0xff],
  [3, 3, 255, 0],
  [8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1],
  [8, 10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 1],
  [5, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 1],
  [5, 18, ...new Array<number>(16).fill(0xff), 1, 1],
  [5, 2, 5, 255],
  [2, 0, 2, 1],
  [2, 1, 4, 2],
  [254, 40, 0, 0],
  [0, 0, 0, 0],
  new Array<number>(40).fill(1),
]
const requests = [
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel',
  '5\r\nhello\r\n0\r\n\r\n',
  '\r\n\r\n',
  '\0',
].map(text)

/** Numbers that lie at, before and behind a window of `window` bytes from `from` on. */
const around = (from: number, window: number, dice: Dice): number =>
  (from +
    dice.one([
      0,
      0,
      0,
      0,
      0,
      1,
      5,
      100,
      -1,
      -2,
      window - 1,
      window,
      window + 1,
      -window,
      0x7fffffff,
      -0x80000000,
      dice.below(window + 1),
    ])) |
  0

export interface Segment {
  readonly source: string
  readonly from: number
  readonly to: number
  readonly sequence: number
  readonly acknowledgment: number
  readonly flags: number
  readonly window: number
  readonly options?: readonly number[]
  readonly payload?: Uint8Array
}

export function segment({ source, from, to, sequence, acknowledgment, flags, window, options = [], payload }: Segment): Uint8Array {
  const offset = (20 + options.length) << 2
  const header = [...be16(from), ...be16(to), ...be32(sequence), ...be32(acknowledgment), offset, flags, ...be16(window), 0, 0, 0, 0]
  return packet(source, 6, [...header, ...options, ...(payload ?? [])])
}

/** A segment of a connection that the victim knows, right or near it. */
export function near(seen: Seen, dice: Dice): Uint8Array {
  const payload = dice.one([new Uint8Array(0), new Uint8Array(0), dice.one(requests), dice.bytes(40), new Uint8Array(1400)])
  return segment({
    source: seen.attacker,
    from: seen.attackerPort,
    to: seen.victimPort,
    sequence: around(seen.expected, seen.window, dice),
    acknowledgment: dice.chance(3) ? around(seen.next, 1000, dice) : seen.next,
    flags: dice.chance(2) ? 0x18 : dice.one(flagSets),
    window: dice.one([0xffff, 0xffff, 1000, 1, 0]),
    options: dice.chance(3) ? selective(seen, dice) : dice.one(optionSets),
    payload,
  })
}

/** Selective acknowledgments (RFC 2018) of what the victim may have sent, in order or not, of nothing, or of what it has not sent. */
function selective({ next }: Seen, dice: Dice): number[] {
  const edge = (): number[] => be32(next - dice.one([0, 1, 100, 1460, 2920, 3000, -1, 0x7fffffff]))
  const blocks = Array.from({ length: 1 + dice.below(4) }, () => [...edge(), ...edge()]).flat()
  return [1, 1, 5, 2 + blocks.length, ...blocks]
}

/** The right answer to what the victim said last: sessions get somewhere, and end. */
export const inOrder = (seen: Seen, dice: Dice): Uint8Array =>
  segment({
    source: seen.attacker,
    from: seen.attackerPort,
    to: seen.victimPort,
    sequence: seen.expected,
    acknowledgment: seen.next,
    flags: dice.one([0x10, 0x10, 0x18, 0x18, 0x18, 0x18, 0x18, 0x11]),
    window: 0xffff,
    payload: dice.one(requests),
  })

export const opening = (source: string, to: number, dice: Dice): Uint8Array =>
  segment({
    source,
    from: 1024 + dice.below(48),
    to,
    sequence: dice.one([0, -1, 0x7fffffff, dice.below(0x7fffffff)]),
    acknowledgment: 0,
    flags: dice.chance(8) ? dice.one(flagSets) : 0x02,
    window: dice.one([0xffff, 1000, 0]),
    options: dice.one(optionSets),
    payload: dice.chance(8) ? dice.one(requests) : undefined,
  })

/** What a router says about a packet of the victim's (RFC 792): unreachable, too big, and what it must not believe. */
export function hearsay(seen: Seen, source: string, dice: Dice): Uint8Array {
  const quoted = seen.packet.slice(0, dice.one([20, 27, 28, 28, 28, 40]))
  if (dice.chance(4)) quoted[dice.below(quoted.length)] = dice.below(256)
  const mtu = dice.one([0, 1, 67, 68, 576, 1280, 1499, 1500, 0xffff])
  return packet(source, ICMP, [dice.one([3, 3, 3, 3, 4, 5, 11, 12]), dice.one([0, 1, 3, 4, 4, 4, 13]), 0, 0, 0, 0, ...be16(mtu), ...quoted])
}

export const ping = (source: string, dice: Dice): Uint8Array =>
  packet(source, ICMP, [source.includes(':') ? 128 : 8, 0, 0, 0, 0, 1, 0, 1, ...dice.bytes(dice.one([0, 4, 60, 1452]))])

export function datagram(source: string, to: number, dice: Dice): Uint8Array {
  const payload = dice.bytes(dice.one([0, 12, 60, 1452]))
  return packet(source, 17, [...be16(1024 + dice.below(48)), ...be16(to), ...be16(8 + payload.length), 0, 0, ...payload])
}

/** The packet in pieces (RFC 791 section 2.3), as a rule in order and all of them; some overlap, come twice, or are missing. */
export function fragments(frame: Uint8Array, dice: Dice): Uint8Array[] {
  const header = 14 + (frame[14] & 15) * 4
  const end = 14 + ((frame[16] << 8) | frame[17])
  if (header >= end || end > frame.length) return [frame]
  const id = be16(dice.below(8))
  const pieces: Uint8Array[] = []
  for (let at = header; at < end; ) {
    const size = dice.one([8, 16, 24, 200, 504, 1400])
    const next = Math.min(at + size + (dice.chance(8) ? 8 : 0), end)
    const piece = Uint8Array.of(...frame.subarray(0, header), ...frame.subarray(at, next))
    const offset = (at - header) >>> 3
    piece.set(be16(piece.length - 14), 16)
    piece.set([...id, ((at + size < end ? 0x20 : 0) | (offset >>> 8)) & 0xff, offset & 0xff], 18)
    correctHeader(piece)
    pieces.push(piece)
    at += size
  }
  if (dice.chance(3)) pieces.splice(dice.below(pieces.length), 1)
  if (dice.chance(3)) pieces.push(dice.one([...pieces, frame]))
  if (dice.chance(3)) pieces.reverse()
  return pieces
}

/** The answer to an ARP request of the victim (RFC 826): the attacker is whoever is asked for. undefined when `frame` is none. */
export function arpAnswer(frame: Uint8Array): Uint8Array | undefined {
  if (frame.length < 42 || frame[12] !== 8 || frame[13] !== 6 || frame[21] !== 1) return undefined
  const [victim, mac] = [frame.slice(22, 28), macOf(ATTACKER.mac)]
  return Uint8Array.of(...victim, ...mac, 8, 6, 0, 1, 8, 0, 6, 4, 0, 2, ...mac, ...frame.slice(38, 42), ...frame.slice(22, 32))
}
