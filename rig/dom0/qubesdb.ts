/**
 * dom0's side of QubesDB, for one domain: as strict as the real daemon. What makes that one exit ends `run` with the reason. Written
 * from the protocol, not from the guest's code, so that a slip in one is not repeated in the other.
 */
import { isUtf8 } from 'node:buffer'
import type { ByteChannel } from '@xen-ts/drivers/channel'

const TYPES: Record<number, string> = {
  0: 'READ',
  1: 'WRITE',
  2: 'MULTIREAD',
  3: 'LIST',
  4: 'RM',
  5: 'WATCH',
  6: 'UNWATCH',
  7: 'RESP_OK',
  8: 'RESP_ERROR_NOENT',
  9: 'RESP_ERROR',
  10: 'RESP_READ',
  11: 'RESP_MULTIREAD',
  12: 'RESP_LIST',
  13: 'RESP_WATCH',
}

/** What a real daemon would have died of. */
export class DaemonDied extends Error {
  override name = 'DaemonDied'
  /** @param daemon, why such as `qubes-guid`, `GUI message 124` */
  constructor(daemon: string, why: string) {
    super(`${daemon} would exit: ${why}`)
  }
}

const died = (why: string): DaemonDied => new DaemonDied('qubesdb-daemon', why)

/** Bytes, where they are no UTF-8. */
type Value = string | Uint8Array

export interface QubesDBDaemonOptions {
  /** A new vchan server on port 111, 4096 bytes each way; resolves when the domain has connected. */
  serve(): Promise<ByteChannel>
  readonly keys: Iterable<readonly [string, Value]>
  /** Such as `qubesdb: synced, 31 keys`. */
  readonly log?: (line: string) => void
}

export class QubesDBDaemon {
  readonly keys: Map<string, Value>
  readonly #options: QubesDBDaemonOptions
  #channel: ByteChannel | undefined
  #synced = false
  #stopped = false
  /** Answers to pushes the domain has given so far. */
  acknowledged = 0
  #changed: (() => void)[] = []

  constructor(options: QubesDBDaemonOptions) {
    this.#options = options
    this.keys = new Map(options.keys)
  }

  /** Serves the domain, over reconnects, until `stop`. Rejects with DaemonDied when the real daemon would exit. */
  async run(): Promise<void> {
    while (!this.#stopped) {
      const channel = (this.#channel = await this.#options.serve())
      this.#synced = false
      try {
        while (await this.#message(channel));
        if (!this.#synced && !this.#stopped) throw died('the domain left without MULTIREAD: it is probably dead')
      } finally {
        channel.close()
        this.#channel = undefined
      }
    }
  }

  stop(): void {
    this.#stopped = true
    this.#channel?.close()
  }

  /** Closes the connection, as when the daemon is restarted. */
  disconnect(): void {
    this.#channel?.close()
  }

  /** qubesdb-write in dom0. */
  write(path: string, value: Value): void {
    this.keys.set(path, value)
    if (this.#synced) this.#send(1, path, value)
  }

  /** qubesdb-rm in dom0. */
  rm(path: string): void {
    if (!this.#remove(path)) throw new Error(`no key ${path}`)
    if (this.#synced) this.#send(4, path)
  }

  /** Resolves when `condition` holds, looked at after each message of the domain. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition())
      await new Promise<void>(resolve => {
        this.#changed.push(resolve)
      })
  }

  async #message(channel: ByteChannel): Promise<boolean> {
    const header = await channel.readExactly(72)
    if (header === undefined) return false
    const type = header[0]
    const name = TYPES[type] ?? String(type)
    if (!['WRITE', 'MULTIREAD', 'RM', 'RESP_OK', 'RESP_ERROR', 'RESP_MULTIREAD'].includes(name)) {
      throw died(`${name} is not for a vchan`)
    }
    // The real daemon puts a NUL at the end instead; a sender that relies on it is not one of ours.
    if (header[64] !== 0) throw died(`${name} with a path that has no end`)
    const path = Buffer.from(header.subarray(1, 65)).toString('latin1').split('\0')[0]
    if (!/^[a-zA-Z0-9_/.:@-]*$/.test(path)) throw died(`${name} with forbidden characters in '${path}'`)
    const length = Buffer.from(header).readUInt32LE(68)
    if (length >= 3072) throw died(`${name} with ${length} bytes of data`)
    const data = length === 0 ? new Uint8Array(0) : await channel.readExactly(length)
    if (data === undefined) return false
    this.#handle(name, path, Buffer.from(data))
    for (const wake of this.#changed.splice(0)) wake()
    return true
  }

  #handle(name: string, path: string, data: Buffer): void {
    switch (name) {
      case 'MULTIREAD':
        if (this.#synced) throw died('a second MULTIREAD on one connection')
        if (path !== '' || data.length > 0) throw died('MULTIREAD with a path or data')
        for (const [key, value] of [...this.keys].sort(([a], [b]) => (a < b ? 1 : -1))) this.#send(11, key, value)
        this.#send(11, '')
        this.#synced = true
        this.#options.log?.(`qubesdb: synced, ${this.keys.size} keys`)
        return
      case 'WRITE':
        if (data.includes(0)) return this.#send(9, path)
        if (!path.startsWith('/') || path.endsWith('/')) throw died(`WRITE to '${path}' cannot be stored`)
        this.keys.set(path, isUtf8(data) ? data.toString('utf8') : data)
        return this.#send(7, path)
      case 'RM':
        if (data.length > 0) return this.#send(9, path)
        if (!this.#remove(path)) throw died(`RM of '${path}', which does not exist`)
        return this.#send(7, path)
      case 'RESP_OK':
        if (data.length > 0) throw died('RESP_OK with data')
        this.acknowledged++
        return
      case 'RESP_ERROR':
        throw died(`the domain answered with an error for '${path}'`)
      default:
        throw died(`spurious ${name}`)
    }
  }

  #remove(path: string): boolean {
    const gone = path.endsWith('/') ? [...this.keys.keys()].filter(key => key.startsWith(path)) : this.keys.has(path) ? [path] : []
    for (const key of gone) this.keys.delete(key)
    return gone.length > 0
  }

  /** Never waits: what the ring cannot take is queued, as the real daemon does. */
  #send(type: number, path: string, value: Value = ''): void {
    const data = Buffer.from(value as string)
    // The bytes behind the NUL are whatever the daemon's buffer held: not zero.
    const header = Buffer.alloc(72, 0xa5)
    header[0] = type
    header.write(`${path}\0`, 1, 'latin1')
    header[64] = 0
    header.writeUInt32LE(data.length, 68)
    void this.#channel?.write(Buffer.concat([header, data])).catch(() => {})
  }
}
