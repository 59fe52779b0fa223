import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { readImage } from '@xen-ts/boot'
import { MiniQubes } from '@xen-ts/rig/dom0'
import { type Domain, type DomainOptions, type LinuxRole, linuxGuest, type Rig, rigChannels, type Vif } from '@xen-ts/rig/xen'

/** A guest that can be started again and again on a rig. */
export interface Peer {
  readonly title: string
  /** On its console when the program runs: the app's first line, or Linux' init. */
  readonly sign: string
  /** Of its web server on port 80, if it has one. */
  readonly ip?: string
  readonly ip6?: string
  /** Of its network device. */
  readonly mac?: string
  /** Builds it, paused, with all that it needs beside it. */
  build(rig: Rig): Promise<{ domain: Domain; destroy(): Promise<void> }>
}

export interface BenchOptions {
  /** MiB for the image; by default what it says it needs, and 32 at least. */
  memory?: number
  /** Command line of the image. */
  cmdline?: string
  /** How often each peer is measured; the median counts. */
  runs?: number
  /** False for a program without a web server. */
  http?: boolean
  /** Last byte of the guest's address, for several on one rig. */
  host?: number
  /** Gives it an address of IPv6 too (target xen). */
  ipv6?: boolean
  /** Of the domain, for several of one program; by default that in the image. */
  name?: string
}

/** Reads what the benchmarks take from the command line: IMAGE [--memory MIB] [--runs N] [--no-http] [-- COMMAND LINE]. */
export function benchArguments(): { image: string; options: BenchOptions } {
  const split = process.argv.indexOf('--')
  const { values, positionals } = parseArgs({
    args: process.argv.slice(2, split < 0 ? undefined : split),
    allowPositionals: true,
    options: { memory: { type: 'string' }, runs: { type: 'string' }, 'no-http': { type: 'boolean' } },
  })
  if (positionals.length !== 1) {
    console.error('usage: IMAGE.xen [--memory MIB] [--runs N] [--no-http] [-- COMMAND LINE]')
    process.exit(2)
  }
  return {
    image: positionals[0]!,
    options: {
      memory: values.memory ? Number(values.memory) : undefined,
      runs: values.runs ? Number(values.runs) : undefined,
      http: !values['no-http'],
      cmdline: split < 0 ? undefined : process.argv.slice(split + 1).join(' '),
    },
  }
}

/** An image of ours, with a miniature Qubes dom0 if that is its target. */
export async function imagePeer(
  path: string,
  { memory, cmdline, http = true, host = 16, ipv6 = false, name: domain }: BenchOptions,
): Promise<Peer> {
  const {
    metadata: { name, target, memoryMiB },
  } = readImage(await readFile(path))
  const six = ipv6 ? { ip6: `fd00:7::${host}`, gateway6: 'fd00:7::1' } : undefined
  const vif: Vif = { ip: `10.137.0.${host}`, gateway: '10.137.0.1', ...six, mac: `00:16:3e:5e:6c:${host.toString(16).padStart(2, '0')}` }
  // In Qubes the address comes from QubesDB.
  const address6 = six ? ` ipv6=${six.ip6}/64 ipv6-gateway=${six.gateway6}` : ''
  const address = target === 'xen' && http ? `ipv4=${vif.ip}/32 ipv4-gateway=${vif.gateway} dns=${vif.gateway}${address6}` : ''
  const options: DomainOptions = {
    name: domain ?? name,
    kernel: path,
    memory: memory ?? Math.max(32, memoryMiB),
    cmdline: cmdline ?? address,
    vif,
  }
  return {
    title: `xen-ts ${name} (${target})`,
    sign: `[${name}]`,
    ip: http ? vif.ip : undefined,
    ip6: six?.ip6,
    mac: vif.mac,
    async build(rig) {
      const domain = await buildDomain(rig, options)
      const qubes =
        target === 'qubes' ? new MiniQubes({ domid: domain.domid, channels: rigChannels(rig), qube: { name, ...vif } }) : undefined
      qubes?.failed.catch(error => console.error('dom0:', error))
      qubes?.start()
      qubes?.connect()
      return {
        domain,
        async destroy() {
          qubes?.stop()
          await domain.destroy()
        },
      }
    },
  }
}

/** Linux on the same rig. */
export async function linuxPeer(role: LinuxRole): Promise<Peer> {
  const vif: Vif = { ip: '10.137.0.20', mac: '00:16:3e:5e:6c:20' }
  const guest = await linuxGuest({ role, ip: vif.ip })
  return {
    title: role === 'nginx' ? 'Linux, nginx' : 'Linux',
    sign: 'init reached',
    ip: role === 'nginx' ? vif.ip : undefined,
    mac: vif.mac,
    async build(rig) {
      const domain = await buildDomain(rig, {
        name: `linux-${role}`,
        ...guest,
        vif: role === 'nginx' || role === 'frames' ? vif : undefined,
      })
      return { domain, destroy: () => domain.destroy() }
    },
  }
}

async function buildDomain(rig: Rig, options: DomainOptions): Promise<Domain> {
  const domain = await rig.createDomain({ ...options, paused: true })
  domain.console.resume()
  return domain
}

/** Builds all peers side by side, so that each can be measured in turn: a busy moment of the host then does not hit one only. */
export async function withPeers<T>(rig: Rig, peers: Peer[], use: (domains: Domain[]) => Promise<T>): Promise<T> {
  const built: Awaited<ReturnType<Peer['build']>>[] = []
  try {
    for (const peer of peers) built.push(await peer.build(rig))
    for (const { domain } of built) await domain.unpause()
    return await use(built.map(({ domain }) => domain))
  } finally {
    for (const { destroy } of built) await destroy()
  }
}

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Prints rows of text in columns, the first to the left, the others to the right. */
export function printTable(rows: string[][]): void {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map(row => row[column]!.length)))
  for (const row of rows)
    console.log(row.map((cell, column) => (column ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!))).join('   '))
}
