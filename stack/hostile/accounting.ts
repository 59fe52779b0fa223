/** Each frame that arrives is dealt with or dropped for one reason: never neither, never both. */

import { type Frame, PORTS } from '@xen-ts/runtime/machine'
import { type CounterName, Counters } from '../counters.ts'
import type { IpStack } from '../stack.ts'
import { portsOf } from '../tcp/table.ts'
import type { UdpReceiver } from '../udp/input.ts'

/**
 * Counters that say what became of the frame that has just arrived: it was thrown away, or answered at once. All others say something
 * besides, or of what was sent. A new reason to drop needs its name here: without it the frames that it counts are in no book.
 */
const fates: ReadonlySet<string> = new Set([
  'foreign',
  'malformed',
  'badChecksum',
  'fragments',
  'badAddress',
  'sourceRouted',
  'badExtension',
  'arpIgnored',
  'ndpIgnored',
  'echoReplies',
  'icmpIgnored',
  'udpNoPort',
  'tcpNoConnection',
  'tcpSynDropped',
  'tcpSynCookies',
])

/** Calls `wrong` for each frame that is not in the books. Before anything is bound. */
export function keepAccounts(
  stack: IpStack,
  device: { onReceive: ((...args: never[]) => void) | undefined },
  wrong: (text: string) => void,
): void {
  const { link, udp, counters } = stack
  /** Who took the frame, where no counter says so. */
  let taken: string[] = []
  const { tcp } = link
  link.tcp = {
    receive(frame, at, length, route) {
      const { u16 } = frame
      const ports = portsOf(swap(u16[(at >>> 1) + 1]), swap(u16[at >>> 1]))
      const had = route.connections?.has(ports) === true
      const { malformed, badChecksum, tcpNoConnection } = counters
      tcp.receive(frame, at, length, route)
      const wasRead =
        counters.malformed === malformed && counters.badChecksum === badChecksum && counters.tcpNoConnection === tcpNoConnection
      if (wasRead && (had || route.connections?.has(ports) === true)) taken.push('a connection')
    },
    arrived(frame, record, route) {
      const had = route.connections?.has(record[PORTS]) === true
      const { tcpNoConnection } = counters
      tcp.arrived(frame, record, route)
      if (counters.tcpNoConnection === tcpNoConnection && (had || route.connections?.has(record[PORTS]) === true))
        taken.push('a connection')
    },
  }
  const noting =
    (receiver: UdpReceiver): UdpReceiver =>
    (...args) => {
      taken.push('a receiver of datagrams')
      receiver(...args)
    }
  const { bind, open } = udp
  udp.bind = ((port: number, receiver: UdpReceiver) => bind.call(udp, port, noting(receiver))) as typeof bind
  udp.open = (receiver, ...more) => open.call(udp, noting(receiver), ...more)
  const { icmp } = link.ipv4
  for (const name of ['onUnreachable', 'onDatagramUnreachable'] as const) {
    const told = icmp[name]
    icmp[name] = message => {
      const { icmpIgnored } = counters
      told?.(message)
      if (counters.icmpIgnored === icmpIgnored) taken.push('who sent what could not be delivered')
    }
  }
  // Messages of IPv6 that never leave the link are counted only when they are not taken.
  const { ndp, routers, mld } = link.ipv6
  for (const part of [ndp, routers, mld] as { receive(...args: never[]): void }[]) {
    const { receive } = part
    part.receive = (...args) => {
      const { malformed, ndpIgnored } = counters
      receive.call(part, ...args)
      if (counters.malformed === malformed && counters.ndpIgnored === ndpIgnored) taken.push('the link')
    }
  }
  const { stray } = link
  link.stray = (frame, length) => {
    const is = stray(frame, length)
    if (is) taken.push('who has no address yet')
    return is
  }

  const receive = device.onReceive as ((...args: unknown[]) => void) | undefined
  device.onReceive = (...args: unknown[]) => {
    taken = []
    const before: Counters = Object.assign(new Counters(), counters)
    receive?.(...args)
    const changed = (Object.keys(before) as CounterName[]).filter(name => counters[name] !== before[name])
    const all = changed.filter(name => fates.has(name)).flatMap(name => new Array<string>(counters[name] - before[name]).fill(name))
    all.push(...taken)
    // Where nothing else is said: ARP that was learnt from or answered, an echo without a frame for its answer, a part of a datagram.
    if (all.length === 0 && counters.arpIn !== before.arpIn) all.push('arp')
    if (all.length === 0 && counters.noFrame !== before.noFrame) all.push('noFrame')
    if (all.length === 0 && isFragment(args[0] as Frame)) all.push('a fragment that waits')
    if (counters.framesIn !== before.framesIn + 1 || all.length !== 1)
      wrong(`it counts as ${all.join(' and ') || 'nothing'}; counters that changed: ${changed.join(' ')}`)
  }
}

/** More fragments, or an offset (RFC 791 section 3.1, RFC 8200 section 4.5). */
function isFragment({ u8 }: Frame): boolean {
  if (u8[12] === 8) return u8[13] === 0 && ((u8[20] & 0x3f) !== 0 || u8[21] !== 0)
  let at = 54
  let protocol = u8[20]
  while (u8[12] === 0x86 && (protocol === 0 || protocol === 43 || protocol === 60)) {
    protocol = u8[at]
    at += 8 + 8 * u8[at + 1]
  }
  return u8[12] === 0x86 && protocol === 44
}
const swap = (word: number): number => ((word & 0xff) << 8) | (word >>> 8)
