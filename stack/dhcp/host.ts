/**
 * A DHCP client beside a stack: its leases become the stack's addresses. What it sends while there is no address goes past the stack, and
 * what comes for an address that the stack does not have (yet) is read here.
 */
import { describeBriefly, type EthernetDevice, limitedLog, type Machine } from '@xen-ts/runtime/machine'
import type { StackConfig } from '../config.ts'
import { isTaken } from '../ip/probe.ts'
import type { IpStack } from '../stack.ts'
import { DHCP_CLIENT_PORT, DHCP_SERVER_PORT } from '../wire/dhcp.ts'
import { formatIpv4 } from '../wire/ipv4-address.ts'
import { DhcpClient } from './client.ts'
import type { DhcpOptions } from './environment.ts'
import { readDhcpFrame, writeDhcpFrame } from './frame.ts'
import { type Lease, leaseConfig } from './lease.ts'

export interface DhcpHost {
  /** Resolves when the stack has the address of the first lease. */
  readonly bound: Promise<void>
  readonly client: DhcpClient
  /** The domain was suspended: asks whether the lease is still good. When the device is on a wire again that is done without. */
  reconnect(): void
  /** Gives the lease back. Before the stack is closed. */
  close(): void
}

/**
 * Keeps `stack`, which is on `device`, at the addresses that a DHCP server gives, and at those of `ipv6`, of which DHCP says nothing. Throws
 * RangeError for a host name that cannot be one.
 */
export function followDhcp(
  machine: Machine,
  device: EthernetDevice,
  stack: IpStack,
  { hostName, ipv6 }: Pick<DhcpOptions, 'hostName'> & Pick<StackConfig, 'ipv6'> = {},
): DhcpHost {
  const { abi, timers } = machine
  const { link } = stack
  const log = limitedLog(machine.log('dhcp'), () => timers.now()) // servers can begin anew as often as they like
  const bound = Promise.withResolvers<void>()
  const configure = (lease: Lease | undefined): void => {
    try {
      stack.configure(lease === undefined ? ipv6 && { ipv6 } : { ...leaseConfig(lease), ipv6 })
    } catch (error) {
      log.error(`the lease cannot be used: ${describeBriefly(error)}`)
    }
  }
  const client = new DhcpClient(
    {
      timers,
      log,
      random: into => abi.random(into),
      broadcast(message, source) {
        const frame = link.reserve()
        if (frame === undefined) return // it is sent again
        link.counters.framesOut++
        device.send(frame, writeDhcpFrame(abi, frame, device.mac, source, message))
      },
      unicast: (message, server) => void stack.udp.send(DHCP_CLIENT_PORT, formatIpv4(server), DHCP_SERVER_PORT, message),
      probe: (address, signal) => isTaken(link, machine, address, signal),
      bound(lease) {
        const { address, server, duration } = lease
        const time = duration === Infinity ? 'for ever' : `for ${duration} s`
        log.info(`DHCP server ${formatIpv4(server)} leases ${formatIpv4(address)} ${time}`)
        configure(lease)
        // Ask for the server's MAC address now: when the lease is given back there is no time for that.
        link.routeTo(formatIpv4(server))?.resolve()
        bound.resolve()
      },
      lost(reason) {
        log.warn(`the address is lost: ${reason}`)
        configure(undefined)
      },
    },
    { mac: device.mac, mtu: device.mtu, hostName },
  )
  stack.counters.dhcp = client.counters
  const { stray } = link
  link.stray = (frame, length) => {
    const message = readDhcpFrame(abi, frame, length)
    if (message === undefined) return false
    if (typeof message === 'string') link.counters[message]++
    else client.receive(message)
    return true
  }
  const unbind = stack.udp.bind(DHCP_CLIENT_PORT, (bytes, offset, length, _from, port) => {
    if (port === DHCP_SERVER_PORT) client.receive(bytes.subarray(offset, offset + length))
    else client.counters.foreign++
  })
  const { onConnected } = device
  device.onConnected = () => {
    onConnected?.()
    client.reconnect()
  }
  client.start()
  return {
    bound: bound.promise,
    client,
    reconnect: () => client.reconnect(),
    close() {
      client.close()
      unbind()
      link.stray = stray
      device.onConnected = onConnected
    },
  }
}
