/**
 * One source, two meanings: calls of the compiled functions with random input, most of it nearly right, on a kernel's or compiler's
 * implementation and on plain TypeScript. Results, errors and every byte of every array must be the same.
 */
import { HASH_BYTES } from './half-sip-hash.ts'
import { type CompiledAbi, compiledAbi } from './host.ts'
import { type Bytes, set8, set16, set32, sum } from './memory.ts'
import { ARRIVAL_BYTES, HAS_IPV4, HAS_PATH6, LONGEST, OWN_IPV4, OWN_MAC, PATH6 } from './packet-in.ts'
import { DEPARTURE_BYTES } from './segment-out.ts'

type Values = (Uint8Array | number)[]
/** A number from 0 to below `limit`. */
type Dice = (limit: number) => number

/** The same sequence everywhere: xorshift32. */
export function dice(seed: number): Dice {
  let state = seed | 1
  return limit => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % limit
  }
}

const fill = (roll: Dice, bytes: Uint8Array): Uint8Array => bytes.map(() => roll(256))

/** Arguments for each function: usually right but for a byte or a length. */
export const inputs: Record<keyof CompiledAbi, (roll: Dice) => Values> = {
  packetIn(roll) {
    const { frame, record } = arrival(roll)
    const room = frame.length
    if (roll(2) === 0) frame[roll(80) % room] ^= 1 << roll(8)
    const length = roll(8) === 0 ? roll(room + 2) : room
    return [frame, length, roll(3) === 0 ? 1 : 0, roll(16) === 0 ? record.subarray(roll(4)) : record]
  },
  httpHead(roll) {
    const bytes = new Uint8Array([...message(roll), ...(roll(4) === 0 ? [] : [13, 10, 13, 10]), ...message(roll)])
    const offset = roll(4) === 0 ? roll(bytes.length + 1) : 0
    const length = roll(8) === 0 ? roll(bytes.length + 4) : bytes.length - offset
    const known = bytes.slice(offset, offset + roll(length + 4))
    if (roll(2) === 0 && known.length > 0) known[roll(known.length)] ^= 1 << roll(8)
    return [roll(4) === 0 ? new Uint8Array(0) : known, bytes, offset, length]
  },
  halfSipHash(roll) {
    return [fill(roll, new Uint8Array(HASH_BYTES)), roll(4) === 0 ? roll(40) : roll(14)]
  },
  segmentOut(roll) {
    const ipv6 = roll(2) === 0
    const header = fill(roll, new Uint8Array((ipv6 ? 54 : 34) + 20 + 4 * roll(11)))
    set16(header, 12, roll(16) === 0 ? roll(0x10000) : ipv6 ? 0xdd86 : 0x0008)
    const payload = fill(roll, new Uint8Array(roll(300)))
    const offset = roll(payload.length + 1)
    const length = roll(16) === 0 ? roll(400) : payload.length - offset
    const record = fill(roll, new Uint8Array(DEPARTURE_BYTES))
    set32(record, 12, roll(0x20000))
    set32(record, 16, roll(2))
    return [new Uint8Array(roll(16) === 0 ? roll(200) : 512), header, payload, offset, length, record]
  },
}

/** Bytes of which many are line ends, or the begin of one. */
function message(roll: Dice): Uint8Array {
  const bytes = fill(roll, new Uint8Array(roll(60)))
  const dense = roll(3)
  return bytes.map(byte => (roll(4) > dense ? byte : [13, 10, 13, 10, 0][roll(5)]))
}

/** A packet for us, of either family and transport, with or without timestamps; and the record of who we are. */
function arrival(roll: Dice): { frame: Uint8Array; record: Uint8Array } {
  const ipv6 = roll(2) === 0
  const at = ipv6 ? 54 : 34
  const isUdp = roll(3) === 0
  const header = isUdp ? 8 : roll(3) === 0 ? 32 : roll(8) === 0 ? 24 : 20
  const protocol = isUdp ? 17 : 6
  const length = roll(120)
  const frame = fill(roll, new Uint8Array(at + header + length + roll(6)))
  const size = header + length
  const big16 = (where: number, value: number): void => {
    frame[where] = value >>> 8
    frame[where + 1] = value
  }
  const record = new Uint8Array(ARRIVAL_BYTES)
  record.set(frame.subarray(0, 6), OWN_MAC)
  set16(frame, 12, ipv6 ? 0xdd86 : 0x0008)
  if (ipv6) {
    frame[14] = 0x60 | roll(16)
    big16(18, size)
    frame[20] = protocol
    set8(record, HAS_PATH6, 1)
    record.set(frame.subarray(22, 54), PATH6)
  } else {
    frame.set([0x45, 0, 0, 0, roll(256), roll(256), roll(2) * 0x40, 0, 64, protocol, 0, 0], 14)
    big16(16, 20 + size)
    set16(frame, 24, ~sum(frame, 14, 20, 0) & 0xffff)
    set8(record, HAS_IPV4, 1)
    record.set(frame.subarray(30, 34), OWN_IPV4)
  }
  const checksum = at + (isUdp ? 6 : 16)
  if (isUdp) {
    big16(at + 4, size)
  } else {
    frame[at + 12] = header << 2
    frame[at + 13] = roll(8) === 0 ? roll(256) : 0x10
    if (header === 32) frame.set([1, 1, 8, 10], at + 20)
  }
  set32(record, LONGEST, roll(8) === 0 ? 60 : 1514)
  set16(frame, checksum, 0)
  const pseudo = (protocol << 8) + ((size & 0xff) << 8) + (size >>> 8)
  if (!isUdp || roll(4) !== 0) set16(frame, checksum, ~sum(frame, at, size, sum(frame, ipv6 ? 22 : 26, ipv6 ? 32 : 8, pseudo)) & 0xffff)
  return { frame, record }
}

export interface Difference {
  readonly name: string
  readonly seed: number
  readonly expected: string
  readonly actual: string
}

/** What both made of the same `count` inputs of each function, where it differs; and how many results were an error, or not 0. */
export function compare(abi: CompiledAbi, count: number, first = 1): { differences: Difference[]; interesting: Record<string, number> } {
  const differences: Difference[] = []
  const interesting: Record<string, number> = {}
  for (const name of Object.keys(inputs) as (keyof CompiledAbi)[]) {
    interesting[name] = 0
    for (let seed = first; seed < first + count; seed++) {
      const expected = outcome(compiledAbi[name], inputs[name](dice(seed * 2654435761)))
      const actual = outcome(abi[name], inputs[name](dice(seed * 2654435761)))
      if (expected !== actual) differences.push({ name, seed, expected, actual })
      if (!/^(0|undefined) /.test(expected)) interesting[name]++
    }
  }
  return { differences, interesting }
}

function outcome(call: unknown, values: Values): string {
  let result: string
  try {
    result = String((call as (...values: Values) => unknown)(...values))
  } catch (error) {
    result = String(error)
  }
  return `${result} ${values.map(value => (typeof value === 'number' ? value : [...(value as Bytes)].join(','))).join(' ')}`
}
