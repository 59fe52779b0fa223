/** The GUI agent: keeps the GUI daemon content. It has no windows yet: it greets, takes what comes, and has an empty clipboard. */
import type { ByteChannel, Channels } from '@xen-ts/drivers/channel.ts'
import type { Log } from '@xen-ts/runtime/log.ts'
import type { Machine, Timers } from '@xen-ts/runtime/machine.ts'
import { supervise } from '../supervise.ts'
import {
  CLIPBOARD_DATA, CLIPBOARD_REQ, decodeHeader, decodeVersion, decodeXconf, encodeHeader, encodeVersion, HEADER_BYTES, PORT,
  RING_BYTES, XCONF_BYTES, type Screen,
} from './wire.ts'

export interface GuiOptions {
  readonly machine: Pick<Machine, 'timers' | 'log'>
  readonly channels: Pick<Channels, 'serve'>
  /** Domain of the GUI daemon, asked before each connection (QubesDB `/qubes-gui-domain-xid`). */
  domain(): Promise<number>
}

export class Gui {
  readonly #options: GuiOptions
  readonly #timers: Timers
  readonly #log: Log
  readonly #abort = new AbortController()
  /** Ends the wait for a daemon in a domain that is no longer the right one. */
  #attempt = new AbortController()
  #channel: ByteChannel | undefined
  #screen: Screen | undefined

  constructor(options: GuiOptions) {
    this.#options = options
    this.#timers = options.machine.timers
    this.#log = options.machine.log('gui')
  }

  /** Serves the daemon, and again after its restart. Resolves after `close`, never rejects. */
  run(): Promise<void> {
    return supervise({ timers: this.#timers, log: this.#log, signal: this.#abort.signal, run: () => this.#converse() })
  }

  close(): void {
    this.#abort.abort()
    this.reconnect()
  }

  /** The GUI domain has changed: leaves the old one. */
  reconnect(): void {
    this.#attempt.abort()
    this.#channel?.close()
  }

  /** The screen of the GUI domain, while its daemon is connected. */
  get screen(): Screen | undefined {
    return this.#screen
  }

  async #converse(): Promise<void> {
    this.#attempt = new AbortController()
    const { signal } = this.#attempt
    const domain = await this.#options.domain()
    let channel: ByteChannel
    try {
      // close() may have come while the domain was asked for.
      if (this.#abort.signal.aborted) return
      channel = await this.#options.channels.serve(domain, PORT, { readSize: RING_BYTES, writeSize: RING_BYTES, signal })
    } catch (error) {
      if (signal.aborted) return
      throw error
    }
    this.#channel = channel
    try {
      await this.#greet(channel, domain)
      while (await this.#message(channel));
      if (!this.#abort.signal.aborted) this.#log.info('the GUI daemon closed the connection')
    } finally {
      channel.close()
      this.#channel = undefined
      this.#screen = undefined
    }
  }

  /** The version goes first, without a header; the daemon answers with its own and the screen (xside.c). */
  async #greet(channel: ByteChannel, domain: number): Promise<void> {
    await channel.write(encodeVersion())
    const answer = await channel.readExactly(4)
    if (answer === undefined) return
    const { major, minor } = decodeVersion(answer)
    const xconf = await channel.readExactly(XCONF_BYTES)
    if (xconf === undefined) return
    this.#screen = decodeXconf(xconf)
    this.#log.info(`connected to ${domain === 0 ? 'dom0' : `domain ${domain}`}, protocol ${major}.${minor}`)
  }

  async #message(channel: ByteChannel): Promise<boolean> {
    const bytes = await channel.readExactly(HEADER_BYTES)
    if (bytes === undefined) return false
    const { type, window, length } = decodeHeader(bytes)
    for (let left = length; left > 0;) {
      const part = await channel.read(left)
      if (part === undefined) return false
      left -= part.length
    }
    // The user pressed Ctrl-Shift-C: the daemon waits for an answer, though nothing was copied.
    if (type === CLIPBOARD_REQ) await channel.write(encodeHeader(CLIPBOARD_DATA, window, 0))
    return true
  }
}
