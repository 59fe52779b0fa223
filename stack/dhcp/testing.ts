/** For tests: a link with DHCP servers on it, on a virtual clock. */

import type { World } from '../testing/world.ts'
import { addressBytes, type DhcpMessage, type DhcpType, messageTypes, options, readDhcp } from '../wire/dhcp.ts'
import { formatIpv4, type Ipv4, parseIpv4 } from '../wire/ipv4-address.ts'
import { DhcpClient } from './client.ts'
import type { DhcpEnvironment, DhcpOptions } from './environment.ts'
import { type Lease, leaseConfig } from './lease.ts'

export const MAC = Uint8Array.of(0x00, 0x16, 0x3e, 0x5e, 0x6c, 0x01)
export const ip = (text: string): Ipv4 => parseIpv4(text) as Ipv4
export const SERVER = '10.0.0.1'
export const ADDRESS = '10.0.0.50'

export const be32 = (value: number): Uint8Array => Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value)
export const addresses = (...texts: string[]): Uint8Array => Uint8Array.from(texts.flatMap(text => [...addressBytes(ip(text))]))
export const ascii = (text: string): Uint8Array => Uint8Array.from(text, character => character.charCodeAt(0))

export type OptionSpec = readonly (readonly [code: number, bytes: Uint8Array])[]

export interface AnswerSpec {
  readonly type?: DhcpType | number
  readonly xid?: number
  readonly mac?: Uint8Array
  readonly address?: string
  /** Instead of what a good server sends; the type comes on its own. */
  readonly options?: OptionSpec
  readonly extra?: OptionSpec
  readonly file?: OptionSpec
  readonly sname?: OptionSpec
  readonly operation?: number
  readonly cookie?: number
  readonly end?: boolean
  /** Milliseconds until it is sent. */
  readonly delay?: number
  /** What is done to the bytes at last. */
  patch?(bytes: Uint8Array): Uint8Array
}

export const goodOptions = (server = SERVER, duration = 3600): OptionSpec => [
  [options.server, addresses(server)],
  [options.leaseTime, be32(duration)],
  [options.mask, addresses('255.255.255.0')],
  [options.routers, addresses('10.0.0.1')],
  [options.nameServers, addresses('10.0.0.1', '10.0.0.2')],
]

/** A server's answer to `request`, as bytes. */
export function writeAnswer(request: Pick<DhcpMessage, 'xid' | 'mac'>, spec: AnswerSpec): Uint8Array {
  const { type = 'offer', xid = request.xid, mac = request.mac, address = ADDRESS, operation = 2, cookie = 0x63825363, end = true } = spec
  const bytes = new Uint8Array(1400)
  bytes.set([operation, 1, 6, 0])
  bytes.set(be32(xid), 4)
  bytes.set(addresses(address), 16)
  bytes.set(mac, 28)
  bytes.set(be32(cookie), 236)
  const write = (list: OptionSpec, at: number, close: boolean): number => {
    for (const [code, value] of list) {
      for (let from = 0; from === 0 || from < value.length; from += 255) {
        const part = value.subarray(from, from + 255)
        bytes.set([code, part.length, ...part], at)
        at += 2 + part.length
      }
    }
    if (close) bytes[at++] = 255
    return at
  }
  const overload = (spec.file ? 1 : 0) | (spec.sname ? 2 : 0)
  const list: OptionSpec = [
    [options.type, Uint8Array.of(typeof type === 'number' ? type : messageTypes[type])],
    ...(overload > 0 ? [[options.overload, Uint8Array.of(overload)] as const] : []),
    ...(spec.options ?? goodOptions()),
    ...(spec.extra ?? []),
  ]
  const length = write(list, 240, end)
  if (spec.file) write(spec.file, 108, true)
  if (spec.sname) write(spec.sname, 44, true)
  const whole = bytes.slice(0, Math.max(length, end ? 300 : length))
  return spec.patch?.(whole) ?? whole
}

export interface Sent {
  readonly at: number
  /** `broadcast`, or the address it went to. */
  readonly to: string
  readonly from: string
  readonly message: DhcpMessage
  readonly bytes: Uint8Array
}

/** What a server says to a message: answers. */
export type FakeDhcpServer = (sent: Sent) => readonly AnswerSpec[]

/** Offers, acknowledges and renews ADDRESS. */
export const goodServer =
  (spec: AnswerSpec = {}): FakeDhcpServer =>
  ({ message }) => {
    if (message.type === 'discover') return [{ type: 'offer', ...spec }]
    return message.type === 'request' ? [{ type: 'ack', ...spec }] : []
  }

export interface Link {
  readonly client: DhcpClient
  readonly sent: Sent[]
  /** What the client told: `bound 10.0.0.50/24 via ...` and `lost ...`, with the time in seconds. */
  readonly events: string[]
  readonly leases: Lease[]
  server: FakeDhcpServer
  /** The longest wait that a timer was set to, in milliseconds. */
  longest: number
  /** Types of what was sent, in order. */
  types(): string[]
}

/** @param probe whether an address is taken, after a second */
export function link(
  world: World,
  server: FakeDhcpServer,
  { probe, onLost, ...given }: Partial<DhcpOptions> & { probe?: (address: string) => boolean; onLost?: () => void } = {},
): Link {
  const machine = world.machine('guest')
  const sent: Sent[] = []
  const events: string[] = []
  const leases: Lease[] = []
  const carry = (bytes: Uint8Array, to: string, from: string): void => {
    const one: Sent = { at: world.now, to, from, message: readDhcp(bytes), bytes: bytes.slice() }
    sent.push(one)
    for (const answer of result.server(one)) {
      world.at(10 + (answer.delay ?? 0), () => {
        const passing = writeAnswer(one.message, answer)
        client.receive(passing)
        passing.fill(0xa5) // valid during the call only
      })
    }
  }
  const environment: DhcpEnvironment = {
    timers: {
      now: machine.timers.now,
      set(delay, run) {
        result.longest = Math.max(result.longest, delay)
        return machine.timers.set(delay, run)
      },
    },
    log: machine.log('dhcp'),
    random: into => machine.abi.random(into),
    broadcast: (message, source) => carry(message, 'broadcast', formatIpv4(source)),
    unicast: (message, to) => carry(message, formatIpv4(to), 'its own'),
    probe:
      probe &&
      ((address, signal) =>
        new Promise((resolve, reject) => {
          const timer = world.at(1000, () => resolve(probe(formatIpv4(address))))
          signal.addEventListener('abort', () => {
            timer.cancel()
            reject(signal.reason)
          })
        })),
    bound: lease => {
      leases.push(lease)
      const { address, prefix, gateway } = leaseConfig(lease)
      events.push(`${Math.floor(world.now / 1000)} bound ${address}/${prefix}${gateway === undefined ? '' : ` via ${gateway}`}`)
    },
    lost: reason => {
      events.push(`${Math.floor(world.now / 1000)} lost: ${reason}`)
      onLost?.()
    },
  }
  const client = new DhcpClient(environment, { mac: MAC, mtu: 1500, ...given })
  const result: Link = { client, sent, events, leases, server, longest: 0, types: () => sent.map(({ message }) => message.type) }
  return result
}
