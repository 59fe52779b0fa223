import type { Duplex } from 'node:stream'
import { ensureRig, type RigFiles } from './dom0.ts'
import { createDomain, type Domain, type DomainOptions, restoreDomain, type SavedDomain } from './domain.ts'
import { RigError } from './errors.ts'
import { type ExecResult, Link } from './link.ts'
import { Qemu } from './qemu.ts'
import { type Log, timedLog } from './run.ts'
import { type VchanOptions, vchanClient, vchanServer } from './vchan.ts'

export interface RigOptions {
  /** Version of Xen, 4.14, 4.17 or 4.20, with the tools and the Linux of the Debian that has it; the host's own unless told otherwise. */
  xen?: string
  /** Memory of the whole machine in MiB; dom0 takes 1,024 and Xen about 100 of it. */
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

/** A machine that runs Xen with a small Linux dom0, emulated by QEMU. */
export class Rig {
  readonly files: RigFiles
  readonly #qemu: Qemu
  readonly #link: Link
  readonly #uploads = new Map<string, Promise<string>>()

  private constructor(files: RigFiles, qemu: Qemu, link: Link) {
    this.files = files
    this.#qemu = qemu
    this.#link = link
  }

  /** Starts a machine; resolves when dom0 takes commands. */
  static async start(options: RigOptions = {}): Promise<Rig> {
    const { xen, memoryMiB = 3072, onLog, onProgress = timedLog(), forwards = [], signal, seconds = 3600, cache } = options
    signal?.throwIfAborted()
    const files = await ensureRig({ xen, cache, log: onProgress })
    signal?.throwIfAborted()
    const lastLines: string[] = [],
      deaths: string[] = []
    const up = Promise.withResolvers<void>()
    const qemu = new Qemu(files, {
      memoryMiB,
      seconds,
      onLine(line) {
        if (lastLines.push(line) > 30) lastLines.shift()
        if (line.includes('dom0 up')) up.resolve()
        if (/^dom0: .* was ended by signal/.test(line)) deaths.push(line)
        onLog?.(line)
      },
    })
    signal?.addEventListener('abort', () => qemu.kill(), { once: true })
    const late = setTimeout(
      () => up.reject(new RigError(`dom0 did not start within ${startSeconds} s`, lastLines.join('\n'))),
      startSeconds * 1000,
    )
    void qemu.exited.then(() =>
      up.reject(signal?.aborted ? signal.reason : new RigError('QEMU ended before dom0 was up', lastLines.join('\n'))),
    )
    try {
      await up.promise
      const link = new Link(await qemu.forwardedPort('10.0.2.15', 1), deaths)
      void qemu.exited.then(() => link.close())
      await link.must('true')
      const rig = new Rig(files, qemu, link)
      for (const { hostPort, ip, port } of forwards) await rig.forward(hostPort, ip, port)
      return rig
    } catch (error) {
      qemu.kill()
      throw error
    } finally {
      clearTimeout(late)
    }
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
    return createDomain(this.#link, options, this.#uploads)
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
    return this.#qemu.forward(hostPort, ip, port)
  }

  /** Lets gdb attach to the whole machine, at a TCP port of the host (`target remote`); it stops while gdb looks at it. */
  async gdb(port: number): Promise<void> {
    await this.#qemu.command(`gdbserver tcp:127.0.0.1:${port}`)
  }

  /** Resolves when the machine has ended, by stop() or by itself. */
  get exited(): Promise<void> {
    return this.#qemu.exited
  }

  /** Ends the machine, with everything in it. */
  async stop(): Promise<void> {
    this.#link.close()
    this.#qemu.kill()
    await this.#qemu.exited
  }
}
