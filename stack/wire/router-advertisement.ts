/** Advertisements of routers (RFC 4861 section 4.2), with prefixes, MTU and name servers (RFC 8106). */
import type { Frame } from '@xen-ts/runtime/machine'
import { swap16 } from './ethernet.ts'
import { type Ipv6, ipv6At } from './ipv6-address.ts'

/** Of a message without options; of one that asks for it, likewise. */
export const ADVERTISEMENT_BYTES = 16
export const SOLICITATION_BYTES = 8

/** Types of options. */
const PREFIX = 3
const MTU = 5
const NAME_SERVERS = 25

/** Flags of a prefix. */
const ON_LINK = 0x80
const AUTONOMOUS = 0x40

/** What is read of one message: more is not worth it. */
const MOST_PREFIXES = 8
const MOST_SERVERS = 8

export interface AdvertisedPrefix {
  readonly prefix: Ipv6
  readonly bits: number
  readonly isOnLink: boolean
  /** Hosts may make themselves an address of it. */
  readonly isAutonomous: boolean
  /** Seconds; Infinity: for ever. */
  readonly valid: number
  readonly preferred: number
}

export interface RouterAdvertisement {
  /** Seconds for which the router wants to be a default one; 0: it is none. */
  readonly lifetime: number
  readonly prefixes: readonly AdvertisedPrefix[]
  readonly mtu: number | undefined
  readonly servers: readonly { readonly address: Ipv6; readonly lifetime: number }[]
}

/** `length` bytes at byte `at` of a frame. undefined when it is malformed. */
export function readAdvertisement({ u8, u16 }: Pick<Frame, 'u8' | 'u16'>, at: number, length: number): RouterAdvertisement | undefined {
  if (length < ADVERTISEMENT_BYTES) return undefined
  const end = at + length
  const prefixes: AdvertisedPrefix[] = []
  const servers: { address: Ipv6; lifetime: number }[] = []
  let mtu: number | undefined
  const seconds = (word: number): number => {
    const value = number32(u16, word)
    return value === 0xffffffff ? Infinity : value
  }
  for (let option = at + ADVERTISEMENT_BYTES; option < end; ) {
    const size = option + 2 <= end ? u8[option + 1] * 8 : 0
    if (size === 0 || option + size > end) return undefined
    const type = u8[option]
    const word = option >>> 1
    if (type === PREFIX && size === 32 && prefixes.length < MOST_PREFIXES) {
      const flags = u8[option + 3]
      prefixes.push({
        prefix: ipv6At(u16, word + 8),
        bits: u8[option + 2],
        isOnLink: (flags & ON_LINK) !== 0,
        isAutonomous: (flags & AUTONOMOUS) !== 0,
        valid: seconds(word + 2),
        preferred: seconds(word + 4),
      })
    } else if (type === MTU && size === 8) {
      mtu = number32(u16, word + 2)
    } else if (type === NAME_SERVERS) {
      for (let i = 8; i + 16 <= size && servers.length < MOST_SERVERS; i += 16)
        servers.push({ address: ipv6At(u16, (option + i) >>> 1), lifetime: seconds(word + 2) })
    }
    option += size
  }
  return { lifetime: swap16(u16[(at >>> 1) + 3]), prefixes, mtu, servers }
}

const number32 = (u16: Uint16Array, word: number): number => swap16(u16[word]) * 0x10000 + swap16(u16[word + 1])
