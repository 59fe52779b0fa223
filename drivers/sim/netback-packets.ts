/** Packets in the slots of a vif's two rings, as Linux netback reads and writes them (xen/include/public/io/netif.h). */
import { PAGE } from './memory.ts'
import type { BackRing } from './netback-ring.ts'
import { FIRST_SLOT, SLOTS } from './netback-ring.ts'

const BLANK_CHECKSUM = 1
const DATA_VALIDATED = 2
const MORE_DATA = 4
const EXTRA_INFO = 8
const MAX_SLOTS_FATAL = 20
const MAX_SLOTS = 18
const EXTRA_GSO = 1
const GSO_TCPV4 = 1
const GSO_TCPV6 = 2

/** Copies between a granted page and `bytes`; returns a GNTST_* status. */
export type PageCopy = (ref: number, offset: number, bytes: Uint8Array) => number

export interface TakenPacket {
  readonly bytes: Uint8Array
  /** Size of the segments to be made of it; 0: none. */
  readonly segment: number
  readonly blank: boolean
  /** Of its slots, without those of extra info. */
  readonly ids: readonly number[]
  /** Slots of extra info behind the first. */
  readonly extras: number
  /** Otherwise it is answered with an error. */
  readonly good: boolean
}

interface Request {
  readonly ref: number
  readonly offset: number
  readonly flags: number
  readonly id: number
  readonly size: number
}

export const isIpv6 = (packet: Uint8Array): boolean => packet[12] === 0x86 && packet[13] === 0xdd

/** Takes a packet that the guest sends; or says what the guest did that netback does not forgive. */
export function takePacket(tx: BackRing, copy: PageCopy): TakenPacket | string {
  const first = takeRequest(tx)
  let segment = 0
  let protocol = 0
  let extras = 0
  for (let extra = (first.flags & EXTRA_INFO) !== 0; extra; ) {
    if (tx.requests === 0) return 'extra info announced but not there'
    const slot = FIRST_SLOT + (tx.consumed % SLOTS) * 3
    const [type, flags] = new Uint8Array(tx.words.buffer, slot * 4, 2)
    if (type < 1 || type > 5) return `extra info of type ${type}`
    if (type === EXTRA_GSO) {
      segment = tx.words[slot] >>> 16
      if (segment === 0) return 'segments of size 0'
      protocol = tx.words[slot + 1] & 0xff
      if (protocol !== GSO_TCPV4 && protocol !== GSO_TCPV6) return `segments of type ${protocol}`
    }
    extra = (flags & 1) !== 0
    extras++
    tx.consumed++
  }
  const slots = [first]
  while ((slots[slots.length - 1].flags & MORE_DATA) !== 0) {
    if (tx.requests === 0) return 'a packet whose continuation is not published'
    if (slots.length > MAX_SLOTS_FATAL) return 'too many slots in a packet'
    slots.push(takeRequest(tx))
  }
  const rest = slots.slice(1).reduce((sum, { size }) => sum + size, 0)
  const lengths = slots.map(({ size }, i) => (i === 0 ? first.size - rest : size))
  if (slots.some(({ offset }, i) => offset + lengths[i] > 4096)) return 'a slot that goes beyond its page'
  const bytes = new Uint8Array(Math.max(0, first.size))
  const blank = (first.flags & BLANK_CHECKSUM) !== 0
  let at = 0
  let good = slots.length <= MAX_SLOTS + 1 && lengths[0] >= 0 && first.size >= 14 && lengths.every(length => length <= first.size)
  if (blank && (first.flags & DATA_VALIDATED) === 0) good = false
  slots.forEach(({ ref, offset }, i) => {
    good = good && copy(ref, offset, bytes.subarray(at, at + lengths[i])) === 0
    at += lengths[i]
  })
  if (protocol > 0 && (protocol === GSO_TCPV6) !== isIpv6(bytes)) good = false
  return { bytes, segment, blank, ids: slots.map(({ id }) => id), extras, good }
}

function takeRequest(tx: BackRing): Request {
  const slot = FIRST_SLOT + (tx.consumed++ % SLOTS) * 3
  const [ref, second, third] = tx.words.subarray(slot, slot + 3)
  return { ref, offset: second & 0xffff, flags: second >>> 16, id: third & 0xffff, size: third >>> 16 }
}

/** Receive buffers that a packet needs. */
export const slotsOf = (packet: Uint8Array, segment: number): number => Math.max(1, Math.ceil(packet.length / PAGE)) + (segment > 0 ? 1 : 0)

/** Puts a packet into the guest's receive buffers, of which there are enough. */
export function putPacket(rx: BackRing, packet: Uint8Array, flags: number, segment: number, copy: PageCopy): void {
  for (let at = 0; at === 0 || at < packet.length; at += PAGE) {
    const slot = FIRST_SLOT + (rx.consumed++ % SLOTS) * 2
    const id = rx.words[slot] & 0xffff
    const part = packet.subarray(at, at + PAGE)
    const status = copy(rx.words[slot + 1], 0, part)
    rx.words[slot] = id
    const more = at + PAGE < packet.length ? MORE_DATA : 0
    rx.words[slot + 1] = (at === 0 ? flags | (segment > 0 ? EXTRA_INFO : 0) : 0) | more | ((status === 0 ? part.length : status) << 16)
    rx.produced++
    if (at > 0 || segment === 0) continue
    const extra = FIRST_SLOT + (rx.consumed++ % SLOTS) * 2 // over the request, whose id is lost with it
    rx.words[extra] = EXTRA_GSO | (segment << 16)
    rx.words[extra + 1] = isIpv6(packet) ? GSO_TCPV6 : GSO_TCPV4
    rx.produced++
  }
}
