import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { RigError } from './errors.ts'
import { type Link, quote, readLine } from './link.ts'

export interface Vif {
  /** Of the guest; dom0 routes it to the vif. */
  ip: string
  /** Of dom0 on the vif. */
  gateway?: string
  /** The same of IPv6. The gateway of Qubes is dom0's link-local address, fe80::fcff:ffff:feff:ffff, which is there without being given. */
  ip6?: string
  gateway6?: string
  mac?: string
}

export interface DomainOptions {
  /** Letters, digits, . - and _; unique among the running domains. */
  name: string
  /** Path on the host of an ELF file with a PVH entry, gzipped or not, or of a bzImage. */
  kernel: string
  /** Path on the host of an initramfs. */
  ramdisk?: string
  /** MiB. */
  memory: number
  /** MiB; above `memory` the domain is built populate-on-demand, as Qubes does it. */
  maxmem?: number
  vcpus?: number
  cmdline?: string
  /** dom0's copy of the kernel is removed when the domain is built: many kernels, one after the other, would fill its memory. */
  once?: boolean
  /** Leaves the domain paused, so that its QubesDB or its clock can be made ready. */
  paused?: boolean
  vif?: Vif
  /** Further lines for xl's configuration. */
  config?: string
}

/** A domain that was saved. */
export interface SavedDomain {
  readonly name: string
  /** In dom0. It may be restored more than once, one after the other, and is the caller's to remove. */
  readonly file: string
}

/** How a domain ended. */
export interface DomainEnd {
  /** `destroyed`: it went without giving a reason. `suspend`: it was saved. */
  reason: 'poweroff' | 'reboot' | 'suspend' | 'crash' | 'watchdog' | 'soft-reset' | 'destroyed' | 'unknown'
  /** The number that it gave (SHUTDOWN_* of sched.h), -1 for none. */
  code: number
}

/** A PVH guest. */
export class Domain {
  readonly name: string
  readonly domid: number
  /**
   * What the guest writes, as text, from its first byte. What is not read waits in dom0; nothing is lost.
   * Ends after the domain has ended.
   */
  readonly console: Readable
  readonly #link: Link
  readonly #end: Promise<DomainEnd>
  readonly #destroy: () => Promise<void>

  /** Use Rig.createDomain. */
  constructor(link: Link, name: string, domid: number, console: Readable, end: Promise<DomainEnd>, destroy: () => Promise<void>) {
    this.#link = link
    this.name = name
    this.domid = domid
    this.console = console
    this.#end = end
    this.#destroy = destroy
  }

  async unpause(): Promise<void> {
    await this.#link.must(`xl unpause ${this.domid}`)
  }

  /** Writes a line to the guest's console, as if somebody typed it there. */
  async type(line: string): Promise<void> {
    await this.#link.must(`echo ${quote(line)} > $(xenstore-read /local/domain/${this.domid}/console/tty)`)
  }

  /** Asks the guest to power off (control/shutdown); wait() tells when it did. */
  async shutdown(): Promise<void> {
    await this.#link.must(`xl shutdown ${this.domid}`)
  }

  /** Asks the guest to reboot. It ends then; nobody starts it again. */
  async reboot(): Promise<void> {
    await this.#link.must(`xl reboot ${this.domid}`)
  }

  /**
   * Lets the domain suspend itself for so many seconds, as Qubes does while the host sleeps.
   * @param unmarked do not tell it that it is still in the same world, as libxl 4.14 (Qubes R4.1) does
   */
  async sleep(seconds: number, { unmarked = false } = {}): Promise<void> {
    await this.#link.must(`domain-sleep ${this.domid} ${seconds}${unmarked ? ' unmarked' : ''}`, { seconds: 120 + seconds })
  }

  /** Lets the domain suspend itself, saves it, and ends it: `wait` then says `suspend`. Rig.restore brings it back. */
  async save(): Promise<SavedDomain> {
    const file = `/guests/${this.name}.saved`
    await this.#link.must(`xl save ${this.domid} ${file}`, { seconds: 120 })
    await this.#end
    return { name: this.name, file }
  }

  /** Lets the domain suspend itself, saves it, and lets it go on as it is. */
  async checkpoint(): Promise<SavedDomain> {
    const file = `/guests/${this.name}.checkpoint`
    await this.#link.must(`xl save -c ${this.domid} ${file}`, { seconds: 120 })
    return { name: this.name, file }
  }

  /** Ends the domain without asking it. Does nothing when it has ended already. */
  async destroy(): Promise<void> {
    await this.#destroy()
    await this.#end
  }

  /** Resolves when the domain has ended, after all that it wrote has reached the console's log. It is destroyed by then. */
  wait(): Promise<DomainEnd> {
    return this.#end
  }
}

/** Milliseconds for the rest of a console after the end of its domain. */
const CONSOLE_PATIENCE = 20_000

/** Builds a domain with xl, starts following its console and its end, and lets it run unless it is to stay paused. */
export async function createDomain(
  link: Link,
  options: DomainOptions,
  uploads: Map<string, Promise<string>>,
  cpus: string,
): Promise<Domain> {
  check(options)
  const [kernel, ramdisk] = await Promise.all([
    upload(link, options.kernel, uploads),
    options.ramdisk && upload(link, options.ramdisk, uploads),
  ])
  const { name, vif } = options
  const log = `/var/log/xen/guest-${name}.log`
  if (vif) await link.must(`echo ${vif.gateway ?? '10.137.0.1'} ${vif.gateway6 ?? ''} > /run/gateway-${vif.ip}`)
  // -e: no process stays behind to act on the domain's end. It is kept then, which is what lets its reason be read.
  const created =
    await link.exec(`rm -f ${log}; echo ${quote(configuration(options, cpus, kernel, ramdisk || undefined))} > /guests/${name}.cfg
    xl create -e -p -q /guests/${name}.cfg && xl domid ${name}${options.once ? `\n    code=$?; rm -f ${kernel}; exit $code` : ''}`)
  if (options.once) uploads.delete(kernel)
  if (created.code !== 0) {
    throw new RigError(
      `Xen did not accept the domain ${name}`,
      created.stderr || created.stdout,
      'Is the image a PVH kernel, and is there memory left? xl dmesg may tell more.',
    )
  }
  return follow(link, name, Number(created.stdout.trim()), options.paused)
}

/** Makes a saved domain anew, as it was, with its devices. It has another domid; its console begins where it goes on. */
export async function restoreDomain(
  link: Link,
  { name, file }: SavedDomain,
  { paused = false }: { paused?: boolean } = {},
): Promise<Domain> {
  const restored = await link.exec(`rm -f /var/log/xen/guest-${name}.log; xl restore -e -p ${quote(file)} >&2 && xl domid ${name}`, {
    seconds: 120,
  })
  if (restored.code !== 0) {
    throw new RigError(
      `The domain ${name} could not be restored`,
      restored.stderr || restored.stdout,
      'Does another of its name run, and is there memory left? xl dmesg may tell more.',
    )
  }
  return follow(link, name, Number(restored.stdout.trim()), paused)
}

/** Follows the console and the end of a paused domain, and lets it run unless it is to stay so. */
async function follow(link: Link, name: string, domid: number, paused?: boolean): Promise<Domain> {
  const log = `/var/log/xen/guest-${name}.log`
  const [console, watcher] = await Promise.all([link.spawn(`exec follow ${log}`), link.spawn(`exec domain-wait ${domid}`)])
  // Once, whether the domain ends by itself or somebody ends it meanwhile.
  let destroyed: Promise<void> | undefined
  const destroy = () =>
    (destroyed ??= link.must(`xl destroy ${domid}`).then(
      () => {},
      (error: unknown) => {
        watcher.destroy() // its end may never come
        // A machine that is stopped takes its domains with it.
        if (!link.closed) throw error
      },
    ))
  const end = readLine(watcher)
    .catch(() => 'destroyed -1')
    .then(async line => {
      watcher.destroy()
      const [reason, code] = line.split(' ') as [DomainEnd['reason'], string]
      // follow passes on what is left and ends when its input does.
      console.end()
      setTimeout(() => console.destroy(), CONSOLE_PATIENCE).unref()
      // What was saved or destroyed is gone.
      if (reason !== 'suspend' && reason !== 'destroyed') await destroy()
      return { reason, code: Number(code) }
    })
  // Nobody may be waiting for it.
  end.catch(() => {})
  console.setEncoding('utf8')
  console.on('error', () => {})
  const domain = new Domain(link, name, domid, console, end, destroy)
  if (!paused) await domain.unpause()
  return domain
}

/** Copies a file to dom0 once, however many domains use it. */
async function upload(link: Link, file: string, uploads: Map<string, Promise<string>>): Promise<string> {
  const hash = createHash('sha256')
  try {
    await pipeline(createReadStream(file), hash)
  } catch (cause) {
    throw new RigError(`${file} cannot be read`, (cause as Error).message, 'Check the path; an image is made by xen-ts build.', { cause })
  }
  const path = `/guests/${hash.digest('hex').slice(0, 24)}`
  const sent = uploads.get(path) ?? link.put(file, path).then(() => path)
  uploads.set(path, sent)
  sent.catch(() => uploads.delete(path))
  return sent
}

function configuration(
  { name, memory, maxmem, vcpus = 1, cmdline = '', vif, config = '' }: DomainOptions,
  cpus: string,
  kernel: string,
  ramdisk?: string,
): string {
  const lines = [
    'type="pvh"',
    `name="${name}"`,
    `kernel="${kernel}"`,
    `memory=${memory}`,
    `vcpus=${vcpus}`,
    `cmdline="${cmdline.replace(/[\\"]/g, '\\$&')}"`,
    `cpus="${cpus}"`,
    'on_poweroff="preserve"',
    'on_reboot="preserve"',
    'on_crash="preserve"',
  ]
  if (maxmem !== undefined) lines.push(`maxmem=${maxmem}`)
  if (ramdisk) lines.push(`ramdisk="${ramdisk}"`)
  if (vif) lines.push(`vif=["ip=${[vif.ip, vif.ip6].join(' ').trim()},mac=${vif.mac ?? '00:16:3e:5e:6c:00'},script=/etc/xen/scripts/vif"]`)
  return [...lines, config].join('\n')
}

function check({ name, memory, maxmem, vcpus = 1, cmdline = '', vif }: DomainOptions): void {
  const refuse = (what: string, value: unknown) => new RigError(`createDomain: ${what}`, JSON.stringify(value))
  if (!/^[A-Za-z0-9_][A-Za-z0-9._-]{0,59}$/.test(name)) throw refuse('the name must be of letters, digits, . - and _', name)
  if (!Number.isInteger(memory) || memory < 1) throw refuse('memory must be a whole number of MiB', memory)
  if (maxmem !== undefined && (!Number.isInteger(maxmem) || maxmem < memory))
    throw refuse('maxmem must be a whole number of MiB, not below memory', maxmem)
  if (!Number.isInteger(vcpus) || vcpus < 1) throw refuse('vcpus must be a whole number', vcpus)
  if (/[\n\0]/.test(cmdline)) throw refuse('the command line must be one line', cmdline)
  const address = /^\d{1,3}(\.\d{1,3}){3}$/
  if (vif && !address.test(vif.ip)) throw refuse('vif.ip must be an IPv4 address', vif.ip)
  if (vif?.gateway && !address.test(vif.gateway)) throw refuse('vif.gateway must be an IPv4 address', vif.gateway)
  const address6 = /^[\da-f]{0,4}(:[\da-f]{0,4}){2,7}$/i
  if (vif?.ip6 && !address6.test(vif.ip6)) throw refuse('vif.ip6 must be an IPv6 address', vif.ip6)
  if (vif?.gateway6 && !address6.test(vif.gateway6)) throw refuse('vif.gateway6 must be an IPv6 address', vif.gateway6)
  if (vif?.mac && !/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(vif.mac))
    throw refuse('vif.mac must be six hexadecimal bytes with colons', vif.mac)
}
