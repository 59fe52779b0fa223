/** Where a program's addresses come from, as configure and build are told: options of the tool become arguments of the target. */
import type { Target } from '@xen-ts/runtime'
import { ArgReader } from '@xen-ts/runtime/args'
import { CliError } from '../errors.ts'
import { listed } from './targets.ts'

export interface AddressOptions {
  readonly net?: 'direct' | 'socket'
  /** A device of the host, for `direct` in a process. */
  readonly tap?: string
  readonly dhcp?: boolean
  readonly ipv4?: string
  readonly ipv4Gateway?: string
  readonly ipv6?: string
  readonly ipv6Gateway?: string
  readonly dns?: readonly string[]
}

const flags = {
  net: '--net',
  tap: '--tap',
  dhcp: '--dhcp',
  ipv4: '--ipv4',
  ipv4Gateway: '--ipv4-gateway',
  ipv6: '--ipv6',
  ipv6Gateway: '--ipv6-gateway',
  dns: '--dns',
} as const

type Key = keyof typeof flags

/**
 * The options as words of a command line.
 * @param all targets there are, for what others can do
 * @throws CliError for what the target cannot do
 */
export function addressWords(options: AddressOptions, target: Target, all: readonly Target[]): string[] {
  checkNet(options, target, all)
  const given = (Object.keys(flags) as Key[]).filter(key => options[key] !== undefined)
  return given.flatMap(key => {
    // What the target has anyway.
    if (key === 'net' && target.network?.device === undefined) return []
    if (!Object.hasOwn(target.args ?? {}, key)) throw refuse(key, options, target)
    const value = options[key]
    return value === true ? flags[key] : `${flags[key]}=${value}`
  })
}

function refuse(key: Key, options: AddressOptions, { name, network }: Target): CliError {
  const from = network === undefined || network.address === 'arguments' || key === 'tap' ? undefined : network.address
  const what = from === undefined ? 'it has no argument of that name' : `addresses come from ${from} there`
  return new CliError(
    `${flags[key]}: not on target ${name}: ${what}`,
    options[key] === true ? flags[key] : `${flags[key]} ${options[key]}`,
    'leave it out, or choose another target',
  )
}

function checkNet({ net }: AddressOptions, { name, network }: Target, all: readonly Target[]): void {
  if (net === undefined || net === network?.net || network?.device !== undefined) return
  const others = all.filter(other => other.network?.net === net)
  const what = net === 'socket' ? 'sockets of a host' : 'our own stack on a network device'
  throw new CliError(
    `--net ${net}: ${what}: only on target${others.length > 1 ? 's' : ''} ${listed(others)} (target is ${name})`,
    `--net ${net}`,
    network === undefined ? 'leave it out' : `leave it out: on target ${name} it is --net ${network.net}`,
  )
}

/**
 * Checks what the target's own arguments come to, of lists of words, the strongest first.
 * @returns the values
 * @throws CliError
 */
export function checkWords(words: readonly (readonly string[])[], target: Target): Readonly<Record<string, unknown>> {
  const args = target.args ?? {}
  const isOwn = (word: string): boolean => {
    const name = /^-*([^=]*)/.exec(word)![1]
    return new ArgReader(args).knows(name)
  }
  const own = words.map(list => list.filter(isOwn))
  try {
    const reader = new ArgReader(args)
    for (const list of own) reader.defaults(list)
    const values = reader.values(args)
    target.check?.(values)
    return values
  } catch (error) {
    const message = (error as Error).message.replace(/\n--help lists[^]*$/, '')
    throw new CliError(message, own.flat().join(' ') || undefined, `xen-ts describe -t ${target.name} lists the arguments`)
  }
}

/** The device of the host that the stack stands on, if there is one. */
const deviceOf = (values: Readonly<Record<string, unknown>>, network: NonNullable<Target['network']>): string | undefined =>
  network.device === undefined ? undefined : String(values[network.device] || '') || undefined

/** In words: what the network stands on, and why. */
export function describeNet(values: Readonly<Record<string, unknown>>, { name, network }: Target): string {
  if (network === undefined) return 'a stack'
  const device = deviceOf(values, network)
  if (device !== undefined) return `our own stack on ${device} of the host: as given`
  return `${network.net === 'socket' ? 'sockets of the host' : 'our own stack on the network device'}: target ${name} has it`
}

/** In words: where the addresses come from, and why. @param words that were given */
export function describeAddress(values: Readonly<Record<string, unknown>>, { name, network }: Target, words: readonly string[]): string {
  if (network === undefined) return `as target ${name} has it`
  const device = deviceOf(values, network)
  if (network.address !== 'arguments' && device === undefined) return `from ${network.address}: that is so on target ${name}`
  const { dhcp, ipv4, ipv6 } = values
  const fixed = [ipv4, ipv6].filter(text => text !== undefined && text !== '')
  const why = words.some(word => /^-*(dhcp|ip)/.test(word)) ? 'as given' : 'what the target has by itself'
  if (dhcp === true) return `from a DHCP server${fixed.length > 0 ? `, and ${fixed.join(', ')}` : ''}: ${why}`
  if (fixed.length > 0) return `${fixed.join(', ')}: ${why}`
  return 'not known yet: start it with ipv4=ADDRESS/BITS ipv4-gateway=ADDRESS, or with dhcp'
}
