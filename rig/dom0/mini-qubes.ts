/** A miniature Qubes dom0 for one domain: its QubesDB, its qrexec daemon, its GUI daemon, over vchans of any kind. */
import type { Channels } from '@xen-ts/drivers/channel'
import { GuiDaemon } from './gui.ts'
import type { DaemonWindow, ImageReader } from './gui-window.ts'
import { type QubeProperties, qubesKeys } from './keys.ts'
import { type CallOptions, type CallResult, type Policy, QrexecDaemon } from './qrexec.ts'
import { DaemonDied, QubesDBDaemon } from './qubesdb.ts'
import { policyOf } from './services.ts'

export interface MiniQubesOptions {
  readonly domid: number
  /** dom0's vchans: `rigChannels(rig)` on real Xen, `hub.channels(0)` in memory. */
  readonly channels: Channels
  /** What a qube of these properties finds in QubesDB. */
  readonly qube?: QubeProperties
  /** Further keys, or other values. */
  readonly keys?: Iterable<readonly [string, string]>
  /** Answers calls of the qube; without it as in a fresh Qubes: `policyOf` with its defaults. */
  readonly policy?: Policy
  /** Of qrexec: 2 is R4.0, 3 is R4.1 and R4.2, 4 is R4.3. */
  readonly qrexecVersion?: 2 | 3 | 4
  /** Minor version of the GUI daemon; false for a qube without GUI. */
  readonly gui?: number | false
  /** Lines such as `qrexec: agent connected, protocol 3`. */
  readonly log?: (line: string) => void
  /** Maps images of windows, where that can be done. */
  readonly image?: ImageReader
  /** A part of a window was painted. */
  readonly onPaint?: (window: DaemonWindow) => void
}

export class MiniQubes {
  readonly db: QubesDBDaemon
  readonly qrexec: QrexecDaemon
  readonly gui: GuiDaemon | undefined
  /** Rejects when the domain did something a real daemon would have exited for; never resolves. */
  readonly failed: Promise<never>
  #fail!: (error: unknown) => void
  readonly #log: ((line: string) => void) | undefined
  #stopped = false

  /** Starts nothing yet. */
  constructor({ domid, channels, qube = {}, keys = [], policy, qrexecVersion, gui, log, image, onPaint }: MiniQubesOptions) {
    const properties = new Map([...qubesKeys(qube), ...keys])
    const source = { name: properties.get('/name')!, type: properties.get('/type') }
    this.#log = log
    this.failed = new Promise((_, reject) => {
      this.#fail = reject
    })
    this.failed.catch(() => {})
    const connect = (port: number, signal?: AbortSignal) => channels.connect(domid, port, { signal })
    const serve = (port: number, size: number) => channels.serve(domid, port, { readSize: size, writeSize: size })
    this.db = new QubesDBDaemon({ keys: properties, serve: () => serve(111, 4096), log })
    this.qrexec = new QrexecDaemon({
      domid,
      connect,
      serve: port => serve(port, 65536),
      policy: policy ?? policyOf({ source }),
      version: qrexecVersion,
      log,
    })
    this.gui = gui === false ? undefined : new GuiDaemon({ connect: () => connect(6000), minor: gui, log, image, onPaint })
  }

  /** Before the domain is unpaused: QubesDB is there from its first instruction. */
  start(): void {
    this.#watch(this.db.run())
  }

  /** After it was unpaused. */
  connect(): void {
    this.#watch(this.qrexec.run())
    if (this.gui !== undefined) this.#watch(this.gui.run())
  }

  /** Calls a service of the qube, as qvm-run or another qube does; waits for the agent. */
  call(service: string, options?: CallOptions): Promise<CallResult> {
    return Promise.race([this.qrexec.call(service, options), this.failed])
  }

  /** Ends the daemons, with the domain or before it. */
  stop(): void {
    this.#stopped = true
    this.qrexec.stop()
    this.gui?.stop()
    this.db.stop()
  }

  #watch(daemon: Promise<void>): void {
    daemon.catch(error => {
      if (error instanceof DaemonDied) this.#fail(error)
      // The domain has ended, and its vchans with it: nobody is there to connect to.
      else if (!this.#stopped) this.#log?.(`a daemon ended: ${String(error)}`)
    })
  }
}
