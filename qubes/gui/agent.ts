/** The GUI agent: greets the GUI daemon, shows it the program's windows, and hands them what the user does. */

import type { GrantTable } from '@xen-ts/drivers'
import type { ByteChannel, Channels } from '@xen-ts/drivers/channel'
import { describeBriefly, type Log, limitedLog, type Timers, type XenMachine } from '@xen-ts/runtime/machine'
import { type Attempt, supervise } from '../supervise.ts'
import { Text } from '../text.ts'
import * as events from './events.ts'
import { CONFIGURE, clipboardData, DESTROY, MAP, WINDOW_FLAGS } from './messages.ts'
import { Outbox } from './outbox.ts'
import { Window } from './window.ts'
import type { Link, WindowEvents, WindowOptions } from './window-context.ts'
import {
  CLIPBOARD_DATA,
  CLIPBOARD_REQ,
  decodeHeader,
  decodeVersion,
  decodeXconf,
  encodeVersion,
  HEADER_BYTES,
  type Header,
  PORT,
  RING_BYTES,
  type Screen,
  XCONF_BYTES,
} from './wire.ts'

const EMPTY = new Uint8Array(0)

export interface GuiOptions {
  readonly machine: Pick<XenMachine, 'timers' | 'log' | 'abi'>
  readonly channels: Pick<Channels, 'serve'>
  /** For the pixels of windows; without it there can be none. */
  readonly grants?: GrantTable
  /** Domain of the GUI daemon, asked before each connection (QubesDB `/qubes-gui-domain-xid`). */
  domain(): Promise<number>
}

export class Gui {
  readonly #options: GuiOptions
  readonly #timers: Timers
  readonly #log: Log
  /** For what the daemon, and the user by it, can cause. */
  readonly #limited: Log
  readonly #abort = new AbortController()
  /** Ends the wait for a daemon in a domain that is no longer the right one. */
  #attempt = new AbortController()
  #channel: ByteChannel | undefined
  #screen: Screen | undefined
  readonly #text: Text
  readonly #windows = new Map<number, Window>()
  /** Keys that are down, and the windows they were pressed in. */
  readonly #keys = new Map<number, Window>()
  /** Numbers of windows are not used again: what is still under way for an old one cannot meet a new one. */
  #nextWindow = 1
  #link: Link | undefined
  readonly #outbox: Outbox
  #clipboard: Uint8Array = new Uint8Array(0)

  constructor(options: GuiOptions) {
    this.#options = options
    this.#timers = options.machine.timers
    this.#log = options.machine.log('gui')
    this.#limited = limitedLog(this.#log, () => this.#timers.now())
    this.#text = new Text(options.machine.abi)
    this.#outbox = new Outbox(this.#timers, this.#limited)
  }

  /**
   * Opens a window. It can be drawn at once, and is seen when a GUI daemon is connected.
   * @throws RangeError for a size or a name the daemon would not take, XenError when there is no memory for the pixels
   */
  window(options: WindowOptions): Window {
    const { machine, grants } = this.#options
    if (grants === undefined)
      throw new Error(`window '${options.title}': this agent was made without a grant table; pass grants to startAgents`)
    const id = this.#nextWindow++
    const window = new Window(
      {
        id,
        memory: { abi: machine.abi, grants },
        timers: this.#timers,
        text: this.#text,
        log: this.#limited,
        outbox: this.#outbox,
        link: () => this.#link,
        gone: () => {
          this.#windows.delete(id)
        },
      },
      options,
    )
    this.#windows.set(id, window)
    return window
  }

  /**
   * What another qube gets when the user presses Ctrl-Shift-C in a window of this one. dom0 may allow less than the protocol, and tells the
   * user then (feature gui-max-clipboard-size).
   * @throws RangeError above 256,000 bytes of UTF-8; a daemon before R4.3 gets nothing above 65,000
   */
  copy(text: string): void {
    const bytes = this.#text.encode(text)
    clipboardData(0, bytes)
    this.#clipboard = bytes
  }

  /** Serves the daemon, and again after its restart. Resolves after `close`, never rejects. */
  run(): Promise<void> {
    return supervise({ timers: this.#timers, log: this.#log, signal: this.#abort.signal, run: attempt => this.#converse(attempt) })
  }

  close(): void {
    this.#abort.abort()
    // The end of the channel tells the daemon all: one that is about to acknowledge a DESTROY would find it closed, and exit.
    this.#connect(undefined)
    for (const window of [...this.#windows.values()]) window.close()
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

  async #converse({ connected, log }: Attempt): Promise<void> {
    this.#attempt = new AbortController()
    const { signal } = this.#attempt
    const domain = await this.#options.domain()
    let channel: ByteChannel
    try {
      // close() may have come while the domain was asked for.
      if (this.#abort.signal.aborted) return
      channel = await this.#options.channels.serve(domain, PORT, { readSize: RING_BYTES, writeSize: RING_BYTES, signal })
    } catch (error) {
      if (!signal.aborted) throw error
      connected() // not yet, but nothing has failed
      return
    }
    this.#channel = channel
    connected()
    try {
      if (signal.aborted) return // reconnect() did not see the channel
      await this.#greet(channel, domain, log)
      await this.#serve(channel)
      if (!this.#abort.signal.aborted) log.info('the GUI daemon closed the connection')
    } finally {
      channel.close()
      this.#channel = undefined
      this.#screen = undefined
      this.#connect(undefined)
      this.#keys.clear()
      for (const window of [...this.#windows.values()]) window.disconnected()
    }
  }

  /** The version goes first, without a header; the daemon answers with its own and the screen (xside.c). */
  async #greet(channel: ByteChannel, domain: number, log: Attempt['log']): Promise<void> {
    await channel.write(encodeVersion())
    const answer = await channel.readExactly(4)
    if (answer === undefined) return
    const { major, minor } = decodeVersion(answer)
    const xconf = await channel.readExactly(XCONF_BYTES)
    if (xconf === undefined) return
    this.#screen = decodeXconf(xconf)
    log.info(`connected to ${domain === 0 ? 'dom0' : `domain ${domain}`}, protocol ${major}.${minor}`)
    this.#connect({ domid: domain, minor, send: bytes => channel.write(bytes), trySend: bytes => channel.tryWrite(bytes) })
    for (const window of this.#windows.values()) window.show()
  }

  #connect(link: Link | undefined): void {
    this.#link = link
    this.#outbox.connect(link)
  }

  /** One after the other; what is there is taken without a promise. */
  async #serve(channel: ByteChannel): Promise<void> {
    for (;;) {
      const bytes = channel.tryRead(HEADER_BYTES, HEADER_BYTES) ?? (await channel.readExactly(HEADER_BYTES))
      if (bytes === undefined) return
      const header = decodeHeader(bytes)
      const { length } = header
      if (!events.isKnown(header)) {
        if (await this.#skip(channel, length)) continue
        return
      }
      const body = length === 0 ? EMPTY : (channel.tryRead(length, length) ?? (await channel.readExactly(length)))
      if (body === undefined) return
      // The user pressed Ctrl-Shift-C: the daemon waits for an answer, if nothing was copied an empty one.
      if (header.type === CLIPBOARD_REQ) await channel.write(this.#copied(header.window))
      else if (header.type === events.KEYMAP_NOTIFY) this.#releaseKeys(body)
      else {
        const answered = this.#dispatch(header, body)
        if (answered !== undefined) await answered
      }
    }
  }

  #copied(window: number): Uint8Array {
    try {
      return clipboardData(window, this.#clipboard, this.#link?.minor)
    } catch (error) {
      this.#limited.warn(`nothing is copied to other qubes: ${describeBriefly(error)}`)
      return clipboardData(window, new Uint8Array(0))
    }
  }

  async #skip(channel: ByteChannel, length: number): Promise<boolean> {
    for (let left = length; left > 0; ) {
      const part = await channel.read(left)
      if (part === undefined) return false
      left -= part.length
    }
    return true
  }

  /** What comes for a window that was closed meanwhile is checked like the rest, and forgotten. What is answered must be taken first. */
  #dispatch({ type, window: id }: Header, body: Uint8Array): Promise<void> | undefined | void {
    const window = this.#windows.get(id)
    switch (type) {
      case events.KEYPRESS: {
        const key = events.decodeKey(body)
        if (window === undefined) return
        // The keyboard went to another window while the key was down: the first one does not hear of its release.
        const holder = this.#keys.get(key.keycode)
        if (holder !== window) holder?.emit('key', { ...key, pressed: false })
        if (key.pressed) this.#keys.set(key.keycode, window)
        else this.#keys.delete(key.keycode)
        return window.emit('key', key)
      }
      case events.BUTTON:
        return emit(window, 'button', events.decodeButton(body))
      case events.MOTION:
        return emit(window, 'motion', events.decodeMotion(body))
      case events.CROSSING:
        return emit(window, 'crossing', events.decodeCrossing(body))
      case events.FOCUS:
        return emit(window, 'focus', events.decodeFocus(body))
      case events.CLOSE:
        return emit(window, 'close', undefined)
      case CLIPBOARD_DATA:
        return emit(window, 'paste', this.#text.decode(body))
      case CONFIGURE:
        return window?.configured(events.decodeConfigure(body))
      case MAP:
        return window?.damage() // it was minimised
      case WINDOW_FLAGS:
        return window?.flagged(...events.decodeFlags(body))
      case DESTROY:
        return window?.destroyed()
      case events.WINDOW_DUMP_ACK:
        return window?.dumped()
    }
  }

  /** Comes before the keyboard does: what was released while another window had it is released now. */
  #releaseKeys(keymap: Uint8Array): void {
    for (const [keycode, window] of [...this.#keys]) {
      if (events.isDown(keymap, keycode)) continue
      this.#keys.delete(keycode)
      window.emit('key', { pressed: false, keycode, x: 0, y: 0, state: 0 })
    }
  }
}

function emit<K extends keyof WindowEvents>(window: Window | undefined, kind: K, event: WindowEvents[K]): void {
  window?.emit(kind, event)
}
