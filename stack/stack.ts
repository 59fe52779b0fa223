/** Puts the parts together. */
import type { EthernetDevice } from '@xen-ts/drivers/ethernet.ts'
import type { Machine } from '@xen-ts/runtime/machine.ts'
import { formatIpv4 } from './address.ts'
import { checkConfig, defaultLimits, type StackConfig } from './config.ts'
import { Counters } from './counters.ts'
import { Icmp } from './ip/icmp.ts'
import { Interface } from './ip/interface.ts'
import { TcpEngine } from './tcp/engine.ts'
import { Tcp } from './tcp/tcp.ts'
import { Udp } from './udp.ts'

export interface Stack {
  readonly tcp: Tcp
  readonly udp: Udp
  readonly counters: Counters
  /** Dotted decimal. */
  readonly address: string
  readonly gateway: string | undefined
  readonly dns: readonly string[]
  /** Resets all connections and lets go of the device, which is not closed. */
  close(): void
}

/** Brings the interface up on `device`. Throws StackConfigError when the configuration makes no sense. */
export function createStack(machine: Machine, device: EthernetDevice, config: StackConfig): Stack {
  const addresses = checkConfig(config)
  const limits = { ...defaultLimits, ...config.limits }
  const counters = new Counters()
  const ip = new Interface(machine, device, addresses, limits, counters)
  const icmp = new Icmp(ip)
  const udp = new Udp(ip)
  const engine = new TcpEngine(machine, ip, limits)
  const tcp = new Tcp(engine)
  icmp.onUnreachable = (message) => engine.unreachable(message)
  ip.icmp = icmp
  ip.udp = udp
  ip.tcp = engine
  device.onReceive = (frame, length) => ip.receive(frame, length)
  device.onIdle = () => engine.batchEnds()
  device.onWritable = () => engine.framesFree()

  const gateway = addresses.gateway === undefined ? undefined : formatIpv4(addresses.gateway)
  const dns = addresses.dns.map(formatIpv4)
  const address = formatIpv4(addresses.address)
  const via = gateway === undefined ? '' : ` via ${gateway}`
  machine.log('stack').info(`${address}/${addresses.bits}${via}${dns.length > 0 ? `, DNS ${dns.join(' ')}` : ''}`)
  // Ask for the gateway now: the first connection need not wait, and the gateway learns our address from the question.
  if (addresses.gateway !== undefined) ip.neighbours.get(addresses.gateway)

  return {
    tcp, udp, counters, address, gateway, dns,
    close() {
      engine.close()
      ip.neighbours.close()
      device.onReceive = device.onIdle = device.onWritable = undefined
    },
  }
}
