/** Changes of frames that were right: of bytes, of fields that lengths depend on, of the length itself. */
import type { Dice } from './dice.ts'

/** Numbers at which code goes wrong. */
const edges = [0, 1, 2, 3, 4, 5, 6, 7, 8, 0x0f, 0x10, 0x13, 0x14, 0x3f, 0x40, 0x7f, 0x80, 0xbf, 0xc0, 0xfe, 0xff]
/** Bytes from which most lengths and kinds are read: Ethernet's type, IP's header and what begins behind it. */
const HEADERS = 74
const LONGEST = 1514

export function mutate(frame: Uint8Array, dice: Dice): Uint8Array {
  let bytes: Uint8Array = frame.slice()
  const count = 1 + dice.below(4)
  for (let i = 0; i < count; i++) bytes = dice.one(changes)(bytes, dice)
  return bytes
}

const place = (bytes: Uint8Array, dice: Dice): number =>
  dice.chance(3) ? dice.below(bytes.length) : 12 + dice.below(Math.max(Math.min(bytes.length, HEADERS) - 12, 1))

const changes: readonly ((bytes: Uint8Array, dice: Dice) => Uint8Array)[] = [
  function bit(bytes, dice) {
    bytes[place(bytes, dice)] ^= 1 << dice.below(8)
    return bytes
  },
  function edge(bytes, dice) {
    bytes[place(bytes, dice)] = dice.one(edges)
    return bytes
  },
  function any(bytes, dice) {
    bytes[place(bytes, dice)] = dice.below(256)
    return bytes
  },
  function nearby(bytes, dice) {
    bytes[place(bytes, dice)] += dice.one([-1, 1, 4, -4])
    return bytes
  },
  function cut(bytes, dice) {
    return bytes.slice(0, 14 + dice.below(Math.max(bytes.length - 13, 1)))
  },
  function longer(bytes, dice) {
    const more = dice.chance(4) ? new Uint8Array(LONGEST) : dice.bytes(60)
    const result = new Uint8Array(Math.min(bytes.length + more.length, LONGEST))
    result.set(bytes)
    result.set(more.subarray(0, result.length - bytes.length), bytes.length)
    return fitLength(result)
  },
  function repeated(bytes, dice) {
    const from = dice.below(bytes.length)
    const piece = bytes.slice(from, from + 1 + dice.below(20))
    bytes.set(piece, dice.below(bytes.length - piece.length + 1))
    return bytes
  },
  function shortened(bytes, dice) {
    return fitLength(bytes.slice(0, 34 + dice.below(Math.max(bytes.length - 33, 1))))
  },
  /** IP options (RFC 791 section 3.1): the header grows into what follows it. */
  function options(bytes, dice) {
    if (bytes.length < 34 || bytes[12] !== 8 || bytes[13] !== 0) return bytes
    const words = 1 + dice.below(10)
    const result = new Uint8Array(Math.min(bytes.length + words * 4, LONGEST))
    result.set(bytes.subarray(0, 34))
    for (let i = 0; i < words * 4; i++) result[34 + i] = dice.one([0, 1, 1, 2, 3, 4, 7, 68, 130, 131, 137, 148])
    result.set(bytes.subarray(34, result.length - words * 4), 34 + words * 4)
    result[14] = 0x45 + words
    return fitLength(result)
  },
  /** Extension headers of IPv6 (RFC 8200 section 4) before what there is. */
  function extension(bytes, dice) {
    if (bytes.length < 54 || bytes[12] !== 0x86 || bytes[13] !== 0xdd) return bytes
    const size = 8 * dice.one([1, 1, 1, 2, 3, 33])
    const result = new Uint8Array(Math.min(bytes.length + size, LONGEST))
    if (54 + size > result.length) return bytes
    result.set(bytes.subarray(0, 54))
    result.set(bytes.subarray(54, result.length - size), 54 + size)
    for (let i = 56; i < 54 + size; i++) result[i] = dice.one([0, 0, 0, 1, 1, 2, 4, 5, 0x1e, 0x5e, 0x9e, 0xde, 0xc2])
    result[54] = bytes[20]
    result[55] = (dice.chance(4) ? dice.below(256) : (size >>> 3) - 1) & 0xff
    result[20] = dice.one([0, 43, 44, 44, 51, 59, 60, 60, 135])
    return fitLength(result)
  },
  /** A fragment (RFC 791 section 2.3): of any offset, first, middle or last. */
  function fragment(bytes, dice) {
    if (bytes.length < 34) return bytes
    bytes[20] = dice.one([0x20, 0x00, 0x3f, 0x1f, 0x40, 0x60])
    bytes[21] = dice.one([0, 1, 2, 0xb9, 0xff])
    bytes[19] = dice.below(4)
    return bytes
  },
]

/** The length of IP becomes what there is. */
function fitLength(bytes: Uint8Array): Uint8Array {
  if (bytes.length >= 54 && bytes[12] === 0x86 && bytes[13] === 0xdd) {
    bytes[18] = (bytes.length - 54) >>> 8
    bytes[19] = bytes.length - 54
    return bytes
  }
  if (bytes.length < 34 || bytes[12] !== 8 || bytes[13] !== 0) return bytes
  bytes[16] = (bytes.length - 14) >>> 8
  bytes[17] = bytes.length - 14
  return bytes
}
