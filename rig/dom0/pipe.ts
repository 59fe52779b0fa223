/** A byte channel in memory that behaves as a vchan does: a ring of a fixed size each way, buffered data readable after the close. */
import { type ByteChannel, ChannelClosedError } from '@xen-ts/drivers/channel'

/** One direction. */
class Ring {
  readonly size: number
  #chunks: Uint8Array[] = []
  used = 0
  #waiting: (() => void)[] = []

  constructor(size: number) {
    this.size = size
  }

  put(bytes: Uint8Array): void {
    this.#chunks.push(bytes.slice())
    this.used += bytes.length
    this.wake()
  }

  take(max: number): Uint8Array {
    const first = this.#chunks[0]
    const taken = first.slice(0, max)
    if (taken.length === first.length) this.#chunks.shift()
    else this.#chunks[0] = first.subarray(taken.length)
    this.used -= taken.length
    this.wake()
    return taken
  }

  wake(): void {
    for (const resume of this.#waiting.splice(0)) resume()
  }

  changed(): Promise<void> {
    return new Promise(resolve => {
      this.#waiting.push(resolve)
    })
  }
}

class End implements ByteChannel {
  readonly #incoming: Ring
  readonly #outgoing: Ring
  #writes: Promise<void> = Promise.resolve()
  #isWriting = 0
  peer!: End
  open = true
  readonly closed: Promise<void>
  #resolveClosed!: () => void

  constructor(incoming: Ring, outgoing: Ring) {
    this.#incoming = incoming
    this.#outgoing = outgoing
    this.closed = new Promise(resolve => {
      this.#resolveClosed = resolve
    })
  }

  async read(max = 65536): Promise<Uint8Array | undefined> {
    for (;;) {
      if (!this.open) return undefined
      if (this.#incoming.used > 0) return this.#incoming.take(max)
      if (!this.peer.open) return undefined
      await this.#incoming.changed()
    }
  }

  async readExactly(length: number): Promise<Uint8Array | undefined> {
    const whole = new Uint8Array(length)
    for (let filled = 0; filled < length; ) {
      const part = await this.read(length - filled)
      if (part === undefined && filled === 0) return undefined
      if (part === undefined) throw new ChannelClosedError(`the channel ended after ${filled} of ${length} bytes`)
      whole.set(part, filled)
      filled += part.length
    }
    return whole
  }

  tryRead(max = 65536, least = 1): Uint8Array | undefined {
    const { used } = this.#incoming
    if (!this.open || used < least) return undefined
    const bytes = new Uint8Array(Math.min(max, used))
    for (let filled = 0; filled < bytes.length; ) {
      const part = this.#incoming.take(bytes.length - filled)
      bytes.set(part, filled)
      filled += part.length
    }
    return bytes
  }

  async readable(): Promise<void> {
    while (this.open && this.#incoming.used === 0 && this.peer.open) await this.#incoming.changed()
  }

  whenReadable(callback: () => void): boolean {
    if (!this.open || this.#incoming.used > 0 || !this.peer.open) return true
    void this.readable().then(callback)
    return false
  }

  #onClosed: (() => void) | undefined
  whenClosed(callback: (() => void) | undefined): void {
    this.#onClosed = callback
    if (callback !== undefined) void this.closed.then(() => (this.#onClosed === callback ? callback() : undefined))
  }

  tryWrite(bytes: Uint8Array): boolean {
    if (this.#isWriting > 0 || !this.open || !this.peer.open || bytes.length > this.#outgoing.size - this.#outgoing.used) return false
    if (bytes.length > 0) this.#outgoing.put(bytes)
    return true
  }

  write(bytes: Uint8Array): Promise<void> {
    this.#isWriting++
    const done = this.#writes.then(() => this.#write(bytes.slice()))
    this.#writes = done.catch(() => {}).finally(() => this.#isWriting--) as Promise<void>
    return done
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let sent = 0; ; ) {
      if (!this.open || !this.peer.open) throw new ChannelClosedError('the peer is gone')
      const space = this.#outgoing.size - this.#outgoing.used
      if (space > 0 && sent < bytes.length) {
        const part = bytes.subarray(sent, sent + space)
        this.#outgoing.put(part)
        sent += part.length
      }
      if (sent === bytes.length) return
      await this.#outgoing.changed()
    }
  }

  close(): void {
    if (!this.open) return
    this.open = false
    this.#incoming.wake()
    this.#outgoing.wake()
    this.#resolveClosed()
    this.peer.#resolveClosed()
  }
}

/** Both ends; ring sizes in bytes, from the first end's view. */
export function pipe(readSize = 65536, writeSize = 65536): [ByteChannel, ByteChannel] {
  const left = new Ring(readSize)
  const right = new Ring(writeSize)
  const a = new End(left, right)
  const b = new End(right, left)
  a.peer = b
  b.peer = a
  return [a, b]
}
