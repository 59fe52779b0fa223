/** The keys that qubesd writes for a qube, in R4.2 (create_qdb_entries in qubes/vm/qubesvm.py, qubes/vm/mix/net.py, qubes/ext). */
import { randomBytes } from 'node:crypto'

export interface QubeProperties {
  readonly name?: string
  /** IPv4 of the qube; null for a qube without a netvm. */
  readonly ip?: string | null
  readonly gateway?: string
  readonly dns?: readonly [string, string]
  readonly mac?: string
  readonly ip6?: string
  readonly gateway6?: string
}

export function qubesKeys({
  name = 'mirage-test',
  ip = '10.137.0.16',
  gateway = '10.137.0.1',
  dns = ['10.139.1.1', '10.139.1.2'],
  mac = '00:16:3e:5e:6c:00',
  ip6,
  gateway6,
}: QubeProperties = {}): [string, string][] {
  const keys: [string, string][] = [
    ['/name', name],
    ['/type', 'StandaloneVM'],
    ['/default-user', 'user'],
    ['/qubes-vm-updateable', 'True'],
    ['/qubes-vm-persistence', 'full'],
    ['/qubes-debug-mode', '0'],
    ['/qubes-base-template', ''],
    ['/qubes-random-seed', randomBytes(64).toString('base64')],
    ['/qubes-timezone', 'Europe/Berlin'],
    ['/qubes-block-devices', ''],
    ['/qubes-usb-devices', ''],
    ['/qubes-vm-type', 'AppVM'],
    ['/qubes-iptables-error', ''],
    ['/qubes-service/meminfo-writer', '0'],
    ['/qubes-gui-enabled', 'True'],
    ['/qubes-gui-domain-xid', '0'],
    ['/qubes-audio-domain-xid', '0'],
    ['/keyboard-layout', 'us++'],
  ]
  if (ip === null) return keys
  keys.push(
    ['/qubes-mac', mac],
    ['/qubes-ip', ip],
    ['/qubes-netmask', '255.255.255.255'],
    ['/qubes-gateway', gateway],
    ['/qubes-primary-dns', dns[0]],
    ['/qubes-secondary-dns', dns[1]],
  )
  if (ip6 !== undefined) keys.push(['/qubes-ip6', ip6])
  if (gateway6 !== undefined) keys.push(['/qubes-gateway6', gateway6])
  return keys
}
