/** The dom0 side of a qube on the rig: the miniature dom0, and the network it tells the qube about. */
import { isIP } from 'node:net'
import { type DaemonWindow, MiniQubes, policyOf, qubesKeys } from '@xen-ts/rig/dom0'
import { type Rig, rigChannels, rigImages, type Vif } from '@xen-ts/rig/xen'
import { CliError } from '../errors.ts'

export interface QubeOptions {
  /** Keys beside the usual ones, or in their place. */
  readonly keys: ReadonlyMap<string, string>
  /** Text and name of a policy file. */
  readonly policy?: { readonly text: string; readonly file: string }
  /** Called when a window was painted; without it nobody looks at the windows' pixels. */
  readonly onPaint?: (window: DaemonWindow) => void
}

/** The network of the emulated qube, as Qubes gives it. */
const network = { ip: '10.137.0.16', gateway: '10.137.0.1', mac: '00:16:3e:5e:6c:00' }

/** What QubesDB holds for a qube, all of it. An empty /qubes-ip is a qube without a netvm, which has none of the network's keys. */
export function keysOf(name: string, { keys }: QubeOptions): Map<string, string> {
  const ip = keys.get('/qubes-ip') === '' ? null : network.ip
  const all = new Map([...qubesKeys({ name, ...network, ip }), ...keys])
  if (ip === null) all.delete('/qubes-ip')
  return all
}

const ipv4 = (text: string) => isIP(text) === 4
/** An empty key of IPv6 is none. */
const ipv6 = (text: string) => text === '' || isIP(text) === 6
const mac = (text: string) => /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(text)

const checks = [
  ['/qubes-ip', ipv4, 'an IPv4 address'],
  ['/qubes-gateway', ipv4, 'an IPv4 address'],
  ['/qubes-mac', mac, 'a MAC address'],
  ['/qubes-ip6', ipv6, 'an IPv6 address'],
  ['/qubes-gateway6', ipv6, 'an IPv6 address'],
] as const

/** The network device that goes with the keys; none for a qube without a netvm. @throws CliError when they are not addresses */
export function vifOf(keys: ReadonlyMap<string, string>): Vif | undefined {
  if (!keys.has('/qubes-ip')) return undefined
  for (const [key, test, what] of checks) {
    const value = keys.get(key)
    if (value === undefined || test(value)) continue
    throw new CliError(
      `--qdb: the qube's network device cannot be made: ${key} is not ${what}`,
      `${key}=${value}`,
      'an empty /qubes-ip stands for a qube without a netvm',
    )
  }
  const [ip6, gateway6] = ['/qubes-ip6', '/qubes-gateway6'].map(key => keys.get(key) || undefined)
  const wide = ip6 === undefined ? {} : { ip6, gateway6 }
  return { ip: keys.get('/qubes-ip')!, gateway: keys.get('/qubes-gateway'), mac: keys.get('/qubes-mac'), ...wide }
}

export interface Dom0 {
  readonly qubes: MiniQubes
  stop(): void
}

/** Starts QubesDB; it is filled before the domain's first instruction, as in Qubes. `qubes.connect()` follows when the domain runs. */
export function startDom0(rig: Rig, domid: number, options: QubeOptions & { readonly onNote: (text: string) => void }): Dom0 {
  const { keys, policy, onPaint, onNote } = options
  let stopped = false
  const log = (line: string) => {
    // With its domain a daemon loses its vchan a moment before the rig tells the domain's end: that is no news.
    if (line.startsWith('a daemon ended'))
      setTimeout(() => {
        if (!stopped) onNote(`dom0: ${line}`)
      }, 5_000).unref()
    else onNote(`dom0: ${line}`)
  }
  const source = { name: keys.get('/name')!, type: keys.get('/type') }
  const qubes = new MiniQubes({
    domid,
    channels: rigChannels(rig),
    qube: { ip: null },
    keys,
    policy: policyOf({ source, policy: policy?.text, file: policy?.file }),
    log,
    image: onPaint && rigImages(rig, domid),
    onPaint,
  })
  qubes.start()
  return {
    qubes,
    stop() {
      stopped = true
      qubes.stop()
    },
  }
}
