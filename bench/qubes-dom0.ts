/** The daemons of a Qubes dom0 for a measured domain, natively: bench/programs/qubes-dom0, which is told what to do line by line. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { qubesKeys } from '@xen-ts/rig/dom0'
import { compileFor, ensureRig, type LinuxGuest, linuxGuest, type Rig, readLine, run, writeCpio } from '@xen-ts/rig/xen'

/** Of the vif, and in QubesDB. */
export const address = { ip: '10.137.0.16', gateway: '10.137.0.1', mac: '00:16:3e:5e:6c:00' }

export class QubesDom0 {
  readonly #stream: Duplex

  private constructor(stream: Duplex) {
    this.#stream = stream
  }

  /** Puts the program into dom0. */
  static async install(rig: Rig): Promise<void> {
    const keys = (network: boolean) =>
      qubesKeys({ name: 'bench', ...address, ip: network ? address.ip : null })
        .map(pair => pair.join('\t'))
        .join('\n')
    await inFolder(async folder => {
      await compile(
        'qubes-dom0',
        folder,
        ['main', 'domain', 'daemons', 'calls', 'gui'].map(part => `qubes-dom0/${part}.c`),
      )
      await rig.put(join(folder, 'qubes-dom0'), '/usr/bin/qubes-dom0')
      for (const [name, network] of [
        ['keys', false],
        ['keys-net', true],
      ] as const) {
        await writeFile(join(folder, name), keys(network))
        await rig.put(join(folder, name), `/run/qubes-${name}`)
      }
    })
    await rig.must('chmod 755 /usr/bin/qubes-dom0')
  }

  /** @param network whether QubesDB has addresses */
  static async start(rig: Rig, domid: number, { network = false } = {}): Promise<QubesDom0> {
    return new QubesDom0(
      await rig.spawn(`qubes-dom0 ${domid} /run/qubes-keys${network ? '-net' : ''}; echo "error: qubes-dom0 ended with $?"`),
    )
  }

  /** Gives the answer to a command. @throws Error with what went wrong */
  async tell(command: string, seconds = 150): Promise<string> {
    const late = setTimeout(() => this.#stream.destroy(new Error(`dom0 did not answer "${command}" within ${seconds} s`)), seconds * 1000)
    try {
      this.#stream.write(`${command}\n`)
      const answer = await readLine(this.#stream)
      if (answer.startsWith('error: ')) throw new Error(`${command}: ${answer.slice(7)}`)
      return answer
    } finally {
      clearTimeout(late)
    }
  }

  /** The same for an answer of numbers. */
  async numbers(command: string): Promise<number[]> {
    return (await this.tell(command)).split(' ').map(Number)
  }

  close(): void {
    this.#stream.destroy()
  }
}

/** The Linux guest that has vchans, with bench/programs/qubes-peer.c in a second archive behind its initramfs, in `folder`. */
export async function linuxQube(folder: string): Promise<LinuxGuest> {
  const guest = await linuxGuest({ role: 'vchan' })
  await compile('qubes-peer', folder, ['qubes-peer.c'])
  const ramdisk = join(folder, 'linux.img')
  const more = writeCpio(new Map([['usr/bin/qubes-peer', { content: await readFile(join(folder, 'qubes-peer')), mode: 0o755 }]]))
  await writeFile(ramdisk, Buffer.concat([await readFile(guest.ramdisk), more]))
  return { ...guest, ramdisk }
}

export async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'xen-ts-qubes-'))
  try {
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function compile(name: string, folder: string, sources: string[]): Promise<void> {
  const { tree } = await ensureRig()
  await run('gcc', [
    '-std=gnu11',
    '-D__XEN_TOOLS__',
    '-O2',
    '-Wall',
    '-Wextra',
    '-Werror',
    ...compileFor(tree),
    '-o',
    join(folder, name),
    ...sources.map(source => join(import.meta.dirname, 'programs', source)),
    '-Wl,--as-needed',
    '-lxenvchan',
    '-lxenctrl',
    '-lxengnttab',
    '-lxenstore',
  ])
}
