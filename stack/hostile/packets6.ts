/** Packets of IPv6 made by hand: what neighbours and routers say, and what a router says about packets of the victim's. */
import { ATTACKER, VICTIM } from './corpus.ts'
import type { Dice } from './dice.ts'
import { be16, be32, ipv6, macOf, octets } from './frame.ts'
import { address6, type Seen } from './packets.ts'

const LINK_LOCAL = 'fe80::216:3eff:fe5e:6c00'
const ALL = 'ff02::1'
const targets = [VICTIM.ip6, VICTIM.ip6, LINK_LOCAL, ALL, 'ff02::1:ff00:2', 'ff02::1:ff5e:6c00', 'fd00::3', '::1', 'ff02::2']
const linkHosts = ['fe80::66', 'fe80::67', 'fe80::68', 'fe80::69', 'fe80::6a', 'fd00::66']
const lifetimes = [0, 1, 59, 60, 3600, 7200, 7201, 0x7fffffff, 0xffffffff]

/** The group in which neighbours ask for an address (RFC 4291 section 2.7.1). */
const groupOf = (address: string): string =>
  `ff02::1:ff${octets(address)
    .slice(13)
    .reduce((text, byte, i) => text + (i === 1 ? ':' : '') + hex(byte), '')}`
const hex = (byte: number): string => byte.toString(16).padStart(2, '0')

/** Right, or nearly: from the link, unless one time in eight. */
const message = (dice: Dice, source: string, target: string, bytes: readonly number[]): Uint8Array =>
  ipv6(source, 58, bytes, { hopLimit: dice.chance(8) ? dice.one([0, 1, 64, 254]) : 255, target })

/** An option with a MAC address (RFC 4861 section 4.6.1), or something like it. */
const macOption = (type: number, dice: Dice): number[] =>
  dice.one([
    [type, 1, ...macOf(ATTACKER.mac)],
    [type, 1, ...macOf(ATTACKER.mac)],
    [type, 1, 2, 0, 0, 0, 0, dice.below(256)],
    [type, 1, ...macOf(VICTIM.mac)],
    [type, 1, 0x33, 0x33, 0, 0, 0, 1],
    [type, 0, 0, 0, 0, 0, 0, 0],
    [type, 2, 0, 0, 0, 0, 0, 0],
    [3 - type, 1, ...macOf(ATTACKER.mac)],
    [],
  ])

/** Questions for addresses of the victim's, and answers nobody asked for (RFC 4861 sections 4.3, 4.4). */
export function neighbour(dice: Dice, _seen: unknown, source: string): Uint8Array {
  const isQuestion = dice.chance(2)
  const wanted = dice.one([VICTIM.ip6, LINK_LOCAL, source, 'fd00::3', ALL, '::'])
  const from = dice.chance(6) ? '::' : dice.one([source, source, ...linkHosts])
  const to = isQuestion && dice.chance(2) && wanted !== '::' ? groupOf(wanted) : dice.one(targets)
  const flags = isQuestion ? 0 : dice.one([0, 0x20, 0x40, 0x60, 0xe0, 0xff])
  return message(dice, from, to, [
    isQuestion ? 135 : 136,
    0,
    0,
    0,
    flags,
    0,
    0,
    0,
    ...octets(wanted),
    ...macOption(isQuestion ? 1 : 2, dice),
  ])
}

/** RFC 4861 section 4.2, RFC 8106: of several routers, with prefixes, MTU and name servers, as many as there is room for. */
export function router(dice: Dice): Uint8Array {
  const lifetime = () => be32(dice.one(lifetimes))
  const prefix = (): number[] =>
    octets(dice.one(['fd00::', `fd00:${dice.below(64)}::`, `2001:db8:${dice.below(256)}::`, 'fe80::', 'ff02::', '::']))
  const server = (): number[] => octets(dice.one([`fd00::${dice.below(9)}`, 'fe80::66', '::1', ALL]))
  const options: (() => number[])[] = [
    () => [
      3,
      4,
      dice.one([64, 64, 64, 0, 63, 128, 255]),
      dice.one([0xc0, 0xc0, 0x40, 0x80, 0]),
      ...lifetime(),
      ...lifetime(),
      0,
      0,
      0,
      0,
      ...prefix(),
    ],
    () => [5, 1, 0, 0, ...be32(dice.one([0, 68, 1279, 1280, 1400, 1500, 1501, 0xffffffff]))],
    () => {
      const count = dice.below(4)
      return [25, 1 + 2 * count, 0, 0, ...lifetime(), ...Array.from({ length: count }, server).flat()]
    },
    () => macOption(1, dice),
    () => [dice.below(256), dice.one([0, 1, 2, 255]), 0, 0, 0, 0, 0, 0],
  ]
  const all = Array.from({ length: dice.below(12) }, () => dice.one(dice.chance(2) ? options.slice(0, 3) : options)()).flat()
  const head = [134, 0, 0, 0, 64, dice.below(256), ...be16(dice.one([0, 0, 1, 60, 1800, 9000, 0xffff])), ...be32(0), ...be32(0)]
  return message(dice, dice.one(linkHosts), dice.one([ALL, ALL, LINK_LOCAL, VICTIM.ip6]), [...head, ...all.slice(0, 1400)])
}

/** Questions of routers for groups (RFC 3810 section 5.1), and other messages that are not for a host. */
export function listeners(dice: Dice): Uint8Array {
  const type = dice.one([130, 130, 130, 131, 132, 133, 137, 143])
  const bytes = [type, 0, 0, 0, ...be16(dice.below(0x10000)), 0, 0, ...octets(dice.one(['::', ALL, 'ff02::1:ff00:2'])), ...dice.bytes(12)]
  return ipv6(dice.one(linkHosts), 58, bytes, { hopLimit: dice.one([1, 1, 1, 255]), target: dice.one(targets) })
}

/** What a router says about a packet of the victim's (RFC 4443 section 3), right or nearly. */
export function hearsay6(dice: Dice, seen: Seen, source: string): Uint8Array {
  const packet = dice.chance(4) ? asFragment(seen.packet, dice) : seen.packet
  const quoted = packet.slice(0, dice.one([40, 47, 48, 48, 60, 100, 1232]))
  if (dice.chance(4)) quoted[dice.below(quoted.length)] = dice.below(256)
  const value = dice.one([0, 1, 40, 1279, 1280, 1281, 1400, 1500, 0xffffffff])
  return ipv6(source, 58, [dice.one([1, 1, 2, 2, 2, 3, 4, 5, 100, 127]), dice.one([0, 1, 3, 4, 4, 6]), 0, 0, ...be32(value), ...quoted])
}

/** A packet as a fragment of itself. */
function asFragment(packet: Uint8Array, dice: Dice): Uint8Array {
  const offset = dice.one([0, 0, 8])
  const result = Uint8Array.of(...packet.subarray(0, 40), packet[6], 0, ...be16(offset | 1), ...be32(dice.below(8)), ...packet.subarray(40))
  result[6] = 44
  return result
}

/** The packet in pieces (RFC 8200 section 4.5); some overlap, come twice, or are missing. */
export function fragments6(frame: Uint8Array, dice: Dice): Uint8Array[] {
  const end = 54 + ((frame[18] << 8) | frame[19])
  if (end > frame.length || end <= 54) return [frame]
  const id = be32(dice.below(8))
  const pieces: Uint8Array[] = []
  for (let at = 54; at < end; ) {
    const size = dice.one([8, 16, 24, 200, 504, 1232])
    const next = Math.min(at + size + (dice.chance(8) ? 8 : 0), end)
    const field = be16((at - 54) | (at + size < end ? 1 : 0))
    const piece = Uint8Array.of(...frame.subarray(0, 54), frame[20], 0, ...field, ...id, ...frame.subarray(at, next))
    piece.set(be16(piece.length - 54), 18)
    piece[20] = 44
    pieces.push(piece)
    at += size
  }
  if (dice.chance(3)) pieces.splice(dice.below(pieces.length), 1)
  if (dice.chance(3)) pieces.push(dice.one([...pieces, frame]))
  if (dice.chance(3)) pieces.reverse()
  return pieces
}

/** The answer to a neighbour solicitation of the victim: the attacker is whoever is asked for. undefined when `frame` is none, or a probe. */
export function neighbourAnswer(frame: Uint8Array): { readonly of: string; readonly answer: Uint8Array } | undefined {
  if (frame.length < 78 || frame[12] !== 0x86 || frame[20] !== 58 || frame[54] !== 135) return undefined
  const asks = address6(frame, 22)
  if (asks === '::') return undefined
  const of = address6(frame, 62)
  const bytes = [136, 0, 0, 0, 0x60, 0, 0, 0, ...octets(of), 2, 1, ...macOf(ATTACKER.mac)]
  return { of, answer: ipv6(of, 58, bytes, { hopLimit: 255, target: asks }) }
}
