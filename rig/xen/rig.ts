import type { Duplex } from 'node:stream'
import { Bochs, prepareBochs } from '../bochs/bochs.ts'
import { defaultCache, ensureRig, type RigFiles } from './dom0.ts'
import { createDomain, type Domain, type DomainOptions, restoreDomain, type SavedDomain } from './domain.ts'
import { RigError } from './errors.ts'
import { forwardByShell } from './forward.ts'
import { type ExecResult, Link } from './link.ts'
import type { Machine } from './machine.ts'
import { Qemu } from './qemu.ts'
import { type Log, timedLog } from './run.ts'
import { type VchanOptions, vchanClient, vchanServer } from './vchan.ts'

export interface RigOptions {
  /** Version of Xen, 4.14, 4.17 or 4.20, with the tools and the Linux of the Debian that has it; the host's own unless told otherwise. */
  xen?: string
  /** Whose virtualization the machine has: AMD's by QEMU, or Intel's by Bochs, which is slower and has one CPU. By default AMD's. */
  processor?: 'amd' | 'intel'
  /** Memory of the whole machine in MiB (3,072; of an Intel machine 1,280); dom0 takes 1,024 (640) and Xen about 100 of it. */
  memoryMiB?: number
  /** Gets each line of Xen's log and of dom0's console. */
  onLog?: (line: string) => void
  /** Gets progress, when something has to be made first. By default to standard error. */
  onProgress?: Log
  /** Ports of the host (0: any free one) that lead to a guest. */
  forwards?: { hostPort: number; ip: string; port: number }[]
  /** Stops the rig when aborted. */
  signal?: AbortSignal
  /** Hard limit for the life of the machine, in seconds: an hour unless told otherwise, Infinity for none. */
  seconds?: number
  /** Folder that holds what was downloaded and made. */
  cache?: string
}

/** How long Xen and dom0 may take to start, in seconds. Six are usual; a busy machine may need many more. */
const startSeconds = 180

/** A machine that runs Xen with a small Linux dom0, emulated by QEMU or Bochs. */
export class Rig {
  readonly files: RigFiles
  readonly #machine: Machine
  readonly #link: Link
  readonly #uploads = new Map<string, Promise<string>>()

  private constructor(files: RigFiles, machine: Machine, link: Link) {
    this.files = files
    this.#machine = machine
    this.#link = link
  }

  /** Starts a machine; resolves when dom0 takes commands. */
  static async start(options: RigOptions = {}): Promise<Rig> {
    const { xen, processor = 'amd', onLog, onProgress = timedLog(), forwards = [], signal, seconds = 3600, cache = defaultCache } = options
    const intel = processor === 'intel'
    const { memoryMiB = intel ? 1280 : 3072 } = options
    signal?.throwIfAborted()
    const files = await ensureRig({ xen, processor, cache, log: onProgress })
    const bochs = intel ? await prepareBochs(files, cache, onProgress) : undefined
    signal?.throwIfAborted()
    const lastLines: string[] = [],
      deaths: string[] = []
    const up = Promise.withResolvers<void>()
    const machineOptions = {
      memoryMiB,
      seconds,
      onLine(line: string) {
        if (lastLines.push(line) > 30) lastLines.shift()
        if (line.includes('dom0 up')) up.resolve()
        if (/^dom0: .* was ended by signal/.test(line)) deaths.push(line)
        onLog?.(line)
      },
    }
    const machine: Machine = bochs ? await Bochs.start(bochs, machineOptions) : new Qemu(files, machineOptions)
    signal?.addEventListener('abort', () => machine.kill(), { once: true })
    const limit = startSeconds * machine.patience
    const late = setTimeout(() => up.reject(new RigError(`dom0 did not start within ${limit} s`, lastLines.join('\n'))), limit * 1000)
    void machine.exited.then(() =>
      up.reject(signal?.aborted ? signal.reason : new RigError('The emulator ended before dom0 was up', lastLines.join('\n'))),
    )
    try {
      await up.promise
      const link = new Link(await machine.shellPort(), deaths, machine.patience)
      void machine.exited.then(() => link.close())
      await link.must('true')
      const rig = new Rig(files, machine, link)
      for (const { hostPort, ip, port } of forwards) await rig.forward(hostPort, ip, port)
      return rig
    } catch (error) {
      machine.kill()
      throw error
    } finally {
      clearTimeout(late)
    }
  }

  /** How many times longer than usual everything may take until it counts as stuck. */
  get patience(): number {
    return this.#machine.patience
  }

  /** Runs a shell script in dom0 to its end; never throws for its exit code. */
  exec(script: string, options?: { seconds?: number }): Promise<ExecResult> {
    return this.#link.exec(script, options)
  }

  /** Runs a shell script in dom0 to its end and gives its output; throws a RigError when it fails. */
  must(script: string, options?: { seconds?: number }): Promise<string> {
    return this.#link.must(script, options)
  }

  /** Runs a shell script in dom0 that reads and writes the stream. */
  spawn(script: string): Promise<Duplex> {
    return this.#link.spawn(script)
  }

  /** Copies a file of the host into dom0. */
  put(file: string, path: string): Promise<void> {
    return this.#link.put(file, path)
  }

  /** Builds a PVH guest and, unless `paused`, lets it run. */
  createDomain(options: DomainOptions): Promise<Domain> {
    return createDomain(this.#link, options, this.#uploads, this.#machine.guestCpus)
  }

  /** Makes a domain that was saved anew, and lets it go on unless `paused`. */
  restore(saved: SavedDomain, options?: { paused?: boolean }): Promise<Domain> {
    return restoreDomain(this.#link, saved, options)
  }

  /**
   * Serves one vchan to a guest, from dom0. Resolves when the guest has connected.
   * @param readMin least size in bytes of the ring from the guest, @param writeMin of the ring to it (Qubes: 4096 or 65536)
   */
  vchanServer(domid: number, port: number, readMin: number, writeMin: number, options?: VchanOptions): Promise<Duplex> {
    return vchanServer(this.#link, domid, port, readMin, writeMin, options)
  }

  /** Connects dom0 to a vchan that a guest serves; waits for its keys. */
  vchanClient(domid: number, port: number, options?: VchanOptions): Promise<Duplex> {
    return vchanClient(this.#link, domid, port, options)
  }

  /**
   * Makes a guest's TCP port reachable on 127.0.0.1 of the host.
   * @param hostPort 0 for any free one
   * @returns the port on the host
   */
  forward(hostPort: number, ip: string, port: number): Promise<number> {
    const machine = this.#machine
    return machine.forward?.(hostPort, ip, port) ?? forwardByShell(this.#link, machine.exited, hostPort, ip, port)
  }

  /** Lets gdb attach to the whole machine, at a TCP port of the host (`target remote`); it stops while gdb looks at it. */
  async gdb(port: number): Promise<void> {
    if (!this.#machine.gdb) throw new RigError('gdb cannot attach to an Intel machine', undefined, "Use the rig's usual one.")
    await this.#machine.gdb(port)
  }

  /** Resolves when the machine has ended, by stop() or by itself. */
  get exited(): Promise<void> {
    return this.#machine.exited
  }

  /** Ends the machine, with everything in it. */
  async stop(): Promise<void> {
    this.#link.close()
    this.#machine.kill()
    await this.#machine.exited
  }
}
