/** One life of a program in a domain on a rig, with what it needs of dom0: what `xen-ts run` and `xen-ts dev --xen` have in common. */
import type { Domain, Rig, Vif } from '@xen-ts/rig/xen'
import { type Dom0, keysOf, type QubeOptions, startDom0, vifOf } from './qubes.ts'

export interface DomainPlan {
  readonly image: string
  readonly name: string
  /** The command line of the program. */
  readonly args: readonly string[]
  /** MiB. */
  readonly memory: number
  readonly maxmem?: number
  /** dom0 keeps no copy of the image: it is for this life alone. */
  readonly once?: boolean
  readonly network: Network
  /** With a miniature Qubes dom0 beside it. */
  readonly qube?: QubeOptions
  onConsole(text: string): void
  onNote(text: string): void
}

/** What dom0 gives the domain. */
export interface Network {
  /** undefined: no network device. */
  readonly vif: Vif | undefined
  /** Of QubesDB, where it is a qube. */
  readonly keys?: Map<string, string>
}

export interface DomainLife {
  /** Paused so far. */
  readonly domain: Domain
  readonly dom0: Dom0 | undefined
  /** When everything it wrote has been told. */
  readonly drained: Promise<void>
  /** Lets it run. */
  run(): Promise<void>
}

/** The network of a domain without a dom0 of Qubes. */
export const plainVif = { ip: '10.137.0.16', gateway: '10.137.0.1', mac: '00:16:3e:5e:6c:00' } as const satisfies Vif

/** @throws CliError when keys of QubesDB do not make a network device */
export function networkOf(name: string, qube: QubeOptions | undefined): Network {
  if (qube === undefined) return { vif: plainVif }
  const keys = keysOf(name, qube)
  return { vif: vifOf(keys), keys }
}

/** Builds the domain, and leaves it paused. @throws RigError */
export async function makeLife(rig: Rig, plan: DomainPlan): Promise<DomainLife> {
  const { image, name, args, memory, maxmem, once, network, qube, onConsole, onNote } = plan
  const { vif, keys } = network
  const domain = await rig.createDomain({
    name,
    kernel: image,
    memory,
    maxmem,
    once,
    cmdline: commandLine(args),
    vif,
    paused: true,
  })
  const drained = follow(domain.console, onConsole)
  const dom0 = keys && startDom0(rig, domain.domid, { ...qube!, keys, onNote })
  void domain.wait().then(() => dom0?.stop())
  return {
    domain,
    dom0,
    drained,
    async run() {
      await domain.unpause()
      dom0?.qubes.connect()
    },
  }
}

/** Words with blanks are quoted, so that the program's argument reader sees them whole. */
function commandLine(args: readonly string[]): string {
  return args.map(word => (/[\s"']/.test(word) ? `"${word.replace(/["\\]/g, '\\$&')}"` : word)).join(' ')
}

async function follow(console: AsyncIterable<unknown>, onText: (text: string) => void): Promise<void> {
  try {
    for await (const text of console) onText(String(text))
  } catch {
    /* the rig was stopped */
  }
}
