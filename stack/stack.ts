/** Puts the parts together. */
import type { Stack, StackAddress } from '@xen-ts/runtime'
import { describeError, type EthernetDevice, type Machine } from '@xen-ts/runtime/machine'
import { type Addresses, checkConfig, defaultLimits, noAddresses, type StackConfig } from './config.ts'
import { describeIpv6, sameIpv6 } from './config-ipv6.ts'
import { Counters } from './counters.ts'
import type { DnsClient } from './dns/client.ts'
import { namesOf } from './dns/of-stack.ts'
import { Interface } from './ip/interface.ts'
import { LimitedLog } from './limited.ts'
import { TcpEngine } from './tcp/engine.ts'
import { Tcp } from './tcp/tcp.ts'
import { Udp } from './udp/udp.ts'
import { ANY, formatIpv4 } from './wire/ipv4-address.ts'

export interface IpStack extends Stack {
  readonly tcp: Tcp
  readonly udp: Udp
  readonly counters: Counters
  /** What the addresses are of: for who finds out what they shall be (dhcp/host.ts). */
  readonly link: Interface
  /** The first of `addresses`; undefined while there is none. */
  readonly address: string | undefined
  readonly gateway: string | undefined
  /** All addresses that others can reach, IPv4's first. */
  readonly addresses: readonly StackAddress[]
  readonly dns: readonly string[]
  /** The DNS client: services, texts, names of addresses and its counters. It follows the addresses. */
  readonly names: DnsClient
  /**
   * Other addresses, or none. When address, mask or gateway of a family differ from those before, its connections are reset (SocketError
   * ENETRESET), and neighbours are told; listeners and connections to 127.0.0.0/8 and ::1 go on. Limits stay as they were. Throws StackConfigError, and nothing is changed then.
   */
  configure(config: StackConfig | undefined): void
  /** Calls `handler` after each change of the addresses. Returns the function that ends it. */
  watch(handler: (address: string | undefined) => void): () => void
  /** Resets all connections and lets go of the device, which is not closed. */
  close(): void
}

/** Brings the interface up on `device`; without `config` it has no address so far. Throws StackConfigError when that makes no sense. */
export function createStack(machine: Machine, device: EthernetDevice, config?: StackConfig): IpStack {
  const log = machine.log('stack')
  let addresses = config === undefined ? noAddresses : checkConfig(config)
  const limits = { ...defaultLimits, ...config?.limits }
  const counters = new Counters()
  const ip = new Interface(machine, device, addresses, limits, counters)
  const udp = new Udp(ip, machine.timers, (name, options) => names.resolve(name, options))
  const engine = new TcpEngine(machine, ip, limits)
  const watchers = new Set<(address: string | undefined) => void>()
  ip.ipv4.icmp.onUnreachable = message => engine.input.unreachable(message)
  ip.ipv4.icmp.onDatagramUnreachable = message => udp.unreachable(message)
  ip.udp = udp
  ip.tcp = engine.input
  device.onReceive = (frame, length) => ip.receive(frame, length)
  device.onIdle = () => engine.batchEnds()
  const lo = ip.loopback.device
  lo.onIdle = () => engine.batchEnds()
  device.onWritable = lo.onWritable = () => {
    engine.framesFree()
    udp.framesFree()
  }
  device.onConnected = () => {
    ip.readdress(addresses)
    names.clear() // another wire may have other names
  }
  const tcp = new Tcp(engine, (name, options) => names.resolve(name, options))
  const names: DnsClient = namesOf(machine, ip, udp, tcp, addresses.dns)

  /** For what anybody on the link can say as often as he likes. */
  const limited = new LimitedLog(log, machine.timers)
  const changed = (text: string, lost: number, by: Pick<LimitedLog, 'write'>): void => {
    by.write('info', () => `the network was changed: ${text}${lost === 0 ? '' : `; connections that were reset: ${lost}`}`)
    for (const watcher of [...watchers]) {
      try {
        watcher(stack.address)
      } catch (error) {
        limited.write('error', () => `a watcher of the network threw: ${describeError(error)}`)
      }
    }
  }
  ip.ipv6.onLost = (own, change) => {
    const why = `its address ${own.text} is lost`
    changed(
      why,
      engine.readdress(change, route => route.local === own.text, why),
      limited,
    )
  }
  ip.ipv6.routers.onChange = () => {
    names.serversChanged(stack.dns)
    changed(shown(), 0, limited)
  }
  /** With what routers have said. */
  const shown = (): string => {
    const { routers } = ip.ipv6
    return [describe(addresses), ...routers.addresses.map(own => own.text), ...routers.servers.map(server => `DNS ${server}`)].join(', ')
  }
  counters.dns = names.counters
  if (device.counters !== undefined) counters.device = device.counters

  const stack: IpStack = {
    tcp,
    udp,
    counters,
    link: ip,
    names,
    resolve: (name, options) => names.resolve(name, options),
    get address() {
      return ip.addresses[0]?.address
    },
    get gateway() {
      return addresses.gateway === undefined ? undefined : formatIpv4(addresses.gateway)
    },
    get addresses() {
      return ip.addresses
    },
    get dns() {
      return [...addresses.dns, ...ip.ipv6.routers.servers]
    },
    configure(config) {
      const next = config === undefined ? noAddresses : checkConfig(config)
      const text = describe(next)
      if (engine.isClosed || text === describe(addresses)) return
      const isLost = ip.losses(addresses, next)
      const families = otherFamilies(addresses, next)
      const readdress = (): void => ip.readdress(next, families)
      const why = text === describe(noAddresses) ? 'there is none any more' : `it is ${text} now`
      addresses = next
      const lost = isLost === undefined ? 0 : engine.readdress(readdress, isLost, why)
      if (isLost === undefined) readdress() // the same address on other ways: connections go on
      names.configure(stack.dns)
      changed(text, lost, { write: (level, line) => log[level](line()) })
    },
    watch(handler) {
      const watcher = (address: string | undefined): void => handler(address)
      watchers.add(watcher)
      return () => {
        watchers.delete(watcher)
      }
    },
    close() {
      names.close()
      engine.close()
      udp.close()
      ip.close()
      watchers.clear()
      device.onReceive = device.onIdle = device.onWritable = device.onConnected = undefined
    },
  }
  log.info(describe(addresses))
  // Ask for the gateway now: the first connection need not wait, and the gateway learns our address from the question.
  if (addresses.gateway !== undefined) ip.ipv4.neighbours.get(addresses.gateway)
  ip.ipv6.readdress(addresses.ipv6)
  return stack
}

function describe(addresses: Addresses): string {
  const { address, bits, gateway, ipv6, dns } = addresses
  if (address === ANY && ipv6 === undefined) return 'no address'
  const via = gateway === undefined ? '' : ` via ${formatIpv4(gateway)}`
  const parts = address === ANY ? [] : [`${formatIpv4(address)}/${bits}${via}${waysOf(addresses)}`]
  if (ipv6 !== undefined) parts.push(describeIpv6(ipv6))
  if (dns.length > 0) parts.push(`DNS ${dns.join(' ')}`)
  return parts.join(', ')
}

/** Those whose addresses or ways differ. */
function otherFamilies(before: Addresses, after: Addresses): (4 | 6)[] {
  const families: (4 | 6)[] = []
  const isSame4 = before.address === after.address && before.bits === after.bits && before.gateway === after.gateway
  if (!isSame4 || waysOf(before) !== waysOf(after)) families.push(4)
  if (!sameIpv6(before.ipv6, after.ipv6)) families.push(6)
  return families
}

/** Routes and MTU. */
function waysOf({ routes, mtu }: Addresses): string {
  const each = routes.map(
    ({ network, bits, via }) => `, ${formatIpv4(network)}/${bits} ${via === undefined ? 'on the link' : `via ${formatIpv4(via)}`}`,
  )
  return `${each.join('')}${mtu === Infinity ? '' : `, MTU ${mtu}`}`
}
