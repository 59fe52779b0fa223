/** dom0's GUI daemon for one domain, without a screen: handshake, windows and limits, as strict as the real one about all of them. */
import type { ByteChannel } from '@xen-ts/drivers/channel'
import { DaemonWindow, died, type ImageReader } from './gui-window.ts'

/** Lengths the real daemon insists on from protocol 1.6 on; the others vary. */
const LENGTHS: Record<number, number> = {
  130: 24,
  131: 0,
  132: 8,
  133: 0,
  134: 20,
  136: 16,
  141: 128,
  143: 0,
  144: 36,
  145: 8,
  146: 128,
  148: 4,
}
const CLIPBOARD_DATA = 140
/** Most bytes in it. From minor 8 on one more than the user may copy: it says that there was more. */
const clipboardLimit = (minor: number): number => (minor >= 8 ? 256_001 : 65_000)
const WINDOW_DUMP = 147

export interface GuiDaemonOptions {
  /** vchan client of the domain's server on port 6000, waiting for it until `signal` aborts. */
  connect(signal: AbortSignal): Promise<ByteChannel>
  /** What the daemon speaks at most; R4.1 has 5, R4.2 has 7, R4.3 has 8. */
  readonly minor?: number
  readonly log?: (line: string) => void
  /** Maps the pages of a window's image, where that can be done; without it windows have no picture. */
  readonly image?: ImageReader
  /** A part of the window was painted. */
  readonly onPaint?: (window: DaemonWindow) => void
}

export class GuiDaemon {
  readonly #options: GuiDaemonOptions
  #channel: ByteChannel | undefined
  readonly #stopping = new AbortController()
  /** Minor version of the connection; 0 while there is none. */
  minor = 0
  readonly windows = new Map<number, DaemonWindow>()
  /** Answers to requests for the clipboard. */
  readonly clipboard: Buffer[] = []
  #waiting: (() => void)[] = []

  constructor(options: GuiDaemonOptions) {
    this.#options = options
  }

  /** Serves the agent, over its reconnects, until `stop`. Rejects with DaemonDied when the real daemon would exit. */
  async run(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      const channel = (this.#channel = await this.#options.connect(signal).catch(error => {
        if (!signal.aborted) throw error
        return undefined
      }))
      if (channel === undefined) return
      try {
        if (signal.aborted || !(await this.#greet(channel))) continue
        while (await this.#message(channel)) this.#wake()
      } finally {
        channel.close()
        this.minor = 0
        for (const window of this.windows.values()) await window.release()
        this.windows.clear()
        this.#wake()
      }
    }
  }

  stop(): void {
    this.#stopping.abort()
    this.#channel?.close()
  }

  disconnect(): void {
    this.#channel?.close()
  }

  /** Resolves when `condition` holds, looked at after each message of the agent. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition())
      await new Promise<void>(resolve => {
        this.#waiting.push(resolve)
      })
  }

  /** Sends a message to the agent. */
  async send(type: number, window: number, body: Uint8Array = Buffer.alloc(0)): Promise<void> {
    await this.#channel!.write(Buffer.concat([words(type, window, body.length), body]))
  }

  /** Ctrl-Shift-C. */
  async requestClipboard(window = 0): Promise<Buffer> {
    const before = this.clipboard.length
    await this.send(139, window)
    await this.until(() => this.clipboard.length > before)
    return this.clipboard[before]
  }

  async #greet(channel: ByteChannel): Promise<boolean> {
    const bytes = await channel.readExactly(4)
    if (bytes === undefined) return false
    const theirs = Buffer.from(bytes).readUInt32LE(0)
    if (theirs >>> 16 !== 1) throw died(`the agent speaks GUI protocol ${theirs >>> 16}.x`)
    const minor = Math.min(theirs & 0xffff, this.#options.minor ?? 7)
    if (minor >= 4) await channel.write(words((1 << 16) | minor))
    await channel.write(words(1920, 1080, 24, (1920 * 1080 * 4) / 1024 + 1))
    this.minor = minor
    this.#options.log?.(`gui: agent connected, protocol 1.${minor}`)
    this.#wake()
    return true
  }

  async #message(channel: ByteChannel): Promise<boolean> {
    const header = await channel.readExactly(12)
    if (header === undefined) return false
    const [type, window, length] = [0, 4, 8].map(offset => Buffer.from(header).readUInt32LE(offset))
    const fixed = LENGTHS[type]
    if (fixed === undefined && type !== CLIPBOARD_DATA && type !== WINDOW_DUMP) throw died(`GUI message ${type}`)
    if (fixed !== undefined && fixed !== length) throw died(`GUI message ${type} of ${length} bytes`)
    if (type === CLIPBOARD_DATA && length > clipboardLimit(this.minor)) throw died(`clipboard of ${length} bytes`)
    if (type === WINDOW_DUMP && (length < 20 || length % 4 !== 0 || length > 16 + 4 * 98304)) {
      throw died(`WINDOW_DUMP of ${length} bytes`)
    }
    const body = length === 0 ? new Uint8Array(0) : await channel.readExactly(length)
    if (body === undefined) return false
    if (type === CLIPBOARD_DATA) this.clipboard.push(Buffer.from(body))
    else if (type === 130) this.#create(window, Buffer.from(body))
    else await this.#handle(type, window, Buffer.from(body))
    return true
  }

  #create(window: number, body: Buffer): void {
    if (this.windows.has(window)) throw died(`window ${window} created twice`)
    this.windows.set(window, new DaemonWindow(window, body))
  }

  async #handle(type: number, id: number, body: Buffer): Promise<void> {
    const window = this.windows.get(id)
    if (window === undefined) throw died(`GUI message ${type} for window ${id}, which does not exist`)
    switch (type) {
      case 131:
        await window.release()
        this.windows.delete(id)
        if (this.minor >= 5) await this.send(131, id)
        break
      case 132:
        window.mapped = true
        break
      case 133:
        await window.unmap()
        break
      case 134: {
        // Other numbers than those asked for: the daemon insists, for as long as its request has no answer.
        const insist = window.configure(body)
        if (insist !== undefined) await this.send(134, id, insist)
        break
      }
      case 136:
        await window.paint(body)
        this.#options.onPaint?.(window)
        break
      case 141:
        window.title = text(body, 'title')
        break
      case 144:
        window.hints = [...new Uint32Array(body.buffer.slice(body.byteOffset, body.byteOffset + 36))]
        break
      case 145: {
        const answer = window.setFlags(body)
        if (answer !== undefined) await this.send(145, id, answer)
        break
      }
      case 146:
        if (!window.mapped) window.class = text(body.subarray(0, 64), 'class')
        break
      case WINDOW_DUMP:
        await window.dump(body, this.#options.image)
        if (this.minor >= 7) await this.send(149, id)
        break
      case 148:
        window.cursor = body.readUInt32LE(0)
        if (window.cursor !== 0 && (window.cursor < 0x100 || window.cursor >= 0x19a)) throw died(`cursor ${window.cursor}`)
    }
  }

  /** The user drags the corner of a window; the next request waits for the answer to this one. */
  async resize(id: number, width: number, height: number): Promise<void> {
    const window = this.windows.get(id)!
    await this.until(() => window.pending === undefined)
    window.pending = words(window.x, window.y, width, height, 0)
    await this.send(134, id, window.pending)
    await this.until(() => window.pending === undefined)
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }
}

function text(field: Buffer, what: string): string {
  const end = field.indexOf(0)
  if (end < 0) throw died(`${what} without a NUL at its end`)
  return field.toString('utf8', 0, end)
}

export function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4)
  values.forEach((value, index) => bytes.writeUInt32LE(value >>> 0, index * 4))
  return bytes
}
