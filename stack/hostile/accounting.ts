/** Each frame that arrives is dealt with or dropped for one reason: never neither, never both. */
import { Counters } from '../counters.ts'
import type { IpStack } from '../stack.ts'
import { portsOf } from '../tcp/table.ts'

/**
 * What each counter says of the frame that has just arrived. A new one needs a line here.
 * dropped: it was thrown away. dealt: it was not. more: it was dropped or dealt with, and this is something besides, or of what was sent.
 */
const kinds: Record<NumbersOf<Counters>, 'dropped' | 'dealt' | 'more'> = {
  framesIn: 'more',
  framesOut: 'more',
  foreign: 'dropped',
  malformed: 'dropped',
  badChecksum: 'dropped',
  fragments: 'dropped',
  badAddress: 'dropped',
  sourceRouted: 'dropped',
  arpIn: 'more',
  arpIgnored: 'dropped',
  echoReplies: 'dealt',
  icmpIgnored: 'dropped',
  udpNoPort: 'dropped',
  tcpNoConnection: 'dropped',
  tcpUnacceptable: 'more',
  tcpRetransmits: 'more',
  tcpFastRetransmits: 'more',
  tcpOutOfOrder: 'more',
  tcpNoMemory: 'more',
  tcpSynDropped: 'dropped',
  tcpSynCookies: 'dealt',
  tcpTimeWaitEvicted: 'more',
  noRoute: 'more',
  noFrame: 'more',
}
type NumbersOf<T> = { [K in keyof T]: T[K] extends number ? K : never }[keyof T]
type Name = keyof typeof kinds
const names = Object.keys(kinds) as Name[]

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
  }
  const bind = udp.bind.bind(udp)
  udp.bind = (port, receiver) =>
    bind(port, (...args) => {
      taken.push('a receiver of datagrams')
      receiver(...args)
    })
  const { icmp } = link.ipv4
  for (const name of ['onUnreachable', 'onDatagramUnreachable'] as const) {
    const told = icmp[name]
    icmp[name] = message => {
      const { icmpIgnored } = counters
      told?.(message)
      if (counters.icmpIgnored === icmpIgnored) taken.push('who sent what could not be delivered')
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
    const changed = names.filter(name => counters[name] !== before[name])
    const told = changed.flatMap(name => (kinds[name] === 'more' ? [] : new Array<Name>(counters[name] - before[name]).fill(name)))
    const isArp = counters.arpIn !== before.arpIn && told.length === 0
    // An echo without a free frame for the answer.
    const isEcho = told.length === 0 && taken.length === 0 && !isArp && counters.noFrame !== before.noFrame
    const all = [...told, ...taken, ...(isArp ? ['arp'] : []), ...(isEcho ? ['noFrame'] : [])]
    if (counters.framesIn !== before.framesIn + 1 || all.length !== 1)
      wrong(`it counts as ${all.join(' and ') || 'nothing'}; counters that changed: ${changed.join(' ')}`)
  }
}

const swap = (word: number): number => ((word & 0xff) << 8) | (word >>> 8)
