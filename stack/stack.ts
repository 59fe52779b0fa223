/** Puts the parts together. */
import type { Stack } from '@xen-ts/runtime'
import { describeError, type EthernetDevice, type Machine } from '@xen-ts/runtime/machine'
import { type Addresses, checkConfig, defaultLimits, noAddresses, type StackConfig } from './config.ts'
import { Counters } from './counters.ts'
import { DnsClient } from './dns/client.ts'
import { stackTransport } from './dns/sockets.ts'
import { Interface } from './ip/interface.ts'
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
  /** Dotted decimal; undefined while there is none. */
  readonly address: string | undefined
  readonly gateway: string | undefined
  readonly dns: readonly string[]
  /** The DNS client: services, texts, names of addresses and its counters. It follows the addresses. */
  readonly names: DnsClient
  /**
   * Other addresses, or none. When address, mask or gateway differ from those before, all connections are reset (SocketError ENETRESET),
   * and neighbours are told; listeners go on. Limits stay as they were. Throws StackConfigError, and nothing is changed then.
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
  const udp = new Udp(ip)
  const engine = new TcpEngine(machine, ip, limits)
  const watchers = new Set<(address: string | undefined) => void>()
  ip.ipv4.icmp.onUnreachable = message => engine.input.unreachable(message)
  ip.ipv4.icmp.onDatagramUnreachable = message => udp.unreachable(message)
  ip.udp = udp
  ip.tcp = engine.input
  device.onReceive = (frame, length) => ip.receive(frame, length)
  device.onIdle = () => engine.batchEnds()
  device.onWritable = () => engine.framesFree()
  device.onConnected = () => {
    ip.readdress(addresses)
    names.clear() // another wire may have other names
  }
  const tcp = new Tcp(engine, (name, options) => names.resolve(name, options))
  const names = new DnsClient(machine, stackTransport(udp, tcp), {
    servers: addresses.dns.map(formatIpv4),
    families: () => (addresses.address === ANY ? [] : [4]),
  })

  counters.dns = names.counters

  const stack: IpStack = {
    tcp,
    udp,
    counters,
    link: ip,
    names,
    resolve: (name, options) => names.resolve(name, options),
    get address() {
      return addresses.address === ANY ? undefined : formatIpv4(addresses.address)
    },
    get gateway() {
      return addresses.gateway === undefined ? undefined : formatIpv4(addresses.gateway)
    },
    get dns() {
      return addresses.dns.map(formatIpv4)
    },
    configure(config) {
      const next = config === undefined ? noAddresses : checkConfig(config)
      const text = describe(next)
      if (engine.isClosed || text === describe(addresses)) return
      const isSame = next.address === addresses.address && next.bits === addresses.bits && next.gateway === addresses.gateway
      addresses = next
      const lost = isSame
        ? 0
        : engine.readdress(() => ip.readdress(next), next.address === ANY ? 'there is none any more' : `it is ${text} now`)
      names.configure(stack.dns)
      log.info(`the network was changed: ${text}${lost === 0 ? '' : `; connections that were reset: ${lost}`}`)
      for (const watcher of [...watchers]) {
        try {
          watcher(stack.address)
        } catch (error) {
          log.error(`a watcher of the network threw: ${describeError(error)}`)
        }
      }
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
      ip.close()
      watchers.clear()
      device.onReceive = device.onIdle = device.onWritable = device.onConnected = undefined
    },
  }
  log.info(describe(addresses))
  // Ask for the gateway now: the first connection need not wait, and the gateway learns our address from the question.
  if (addresses.gateway !== undefined) ip.ipv4.neighbours.get(addresses.gateway)
  return stack
}

function describe({ address, bits, gateway, dns }: Addresses): string {
  if (address === ANY) return 'no address'
  const via = gateway === undefined ? '' : ` via ${formatIpv4(gateway)}`
  return `${formatIpv4(address)}/${bits}${via}${dns.length > 0 ? `, DNS ${dns.map(formatIpv4).join(' ')}` : ''}`
}
