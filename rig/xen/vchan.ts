import type { Duplex } from 'node:stream'
import { type ByteChannel, ChannelClosedError, type Channels } from '@xen-ts/drivers/channel'
import { RigError } from './errors.ts'
import { type Link, readLine } from './link.ts'

export interface VchanOptions {
  /** Gives up waiting for the peer, and takes the keys back. */
  signal?: AbortSignal
  /** Called when the guest can find the server's keys. */
  onReady?: () => void
}

/** A vchan server in dom0 for one client. Resolves when it has connected. Sizes in bytes. */
export async function vchanServer(
  link: Link,
  domid: number,
  port: number,
  readMin: number,
  writeMin: number,
  options: VchanOptions = {},
): Promise<Duplex> {
  return open(link, `server ${domid} ${port} ${readMin} ${writeMin}`, options, async stream => {
    await expect(stream, 'ready')
    options.onReady?.()
  })
}

/** A vchan client in dom0. Waits for the server's keys to appear. */
export async function vchanClient(link: Link, domid: number, port: number, options: VchanOptions = {}): Promise<Duplex> {
  return open(link, `client ${domid} ${port}`, options, async () => {})
}

async function open(link: Link, args: string, { signal }: VchanOptions, prepare: (stream: Duplex) => Promise<void>): Promise<Duplex> {
  signal?.throwIfAborted()
  const stream = await link.spawn(`exec vchan-bridge ${args}`)
  stream.on('error', () => {})
  // Closing the connection ends the bridge, which deletes its keys.
  const abort = () => stream.destroy()
  signal?.addEventListener('abort', abort, { once: true })
  try {
    signal?.throwIfAborted()
    await prepare(stream)
    await expect(stream, 'connected')
    return stream
  } catch (cause) {
    stream.destroy()
    signal?.throwIfAborted()
    throw new RigError(
      'The vchan was not connected',
      `vchan-bridge ${args}`,
      "Did the peer domain end? See dom0's console in the rig's log.",
      { cause },
    )
  } finally {
    signal?.removeEventListener('abort', abort)
  }
}

async function expect(stream: Duplex, word: string): Promise<void> {
  const line = await readLine(stream)
  if (line !== word) throw new RigError(`vchan-bridge said ${JSON.stringify(line)}, not ${word}`)
}

/** dom0's vchans as the agents and their counterparts know them. */
export function rigChannels(rig: {
  vchanServer(domid: number, port: number, readMin: number, writeMin: number, options?: VchanOptions): Promise<Duplex>
  vchanClient(domid: number, port: number, options?: VchanOptions): Promise<Duplex>
}): Channels {
  return {
    connect: async (domid, port, options) => byteChannel(await rig.vchanClient(domid, port, options)),
    serve: async (domid, port, { readSize, writeSize, signal }) =>
      byteChannel(await rig.vchanServer(domid, port, readSize, writeSize, { signal })),
  }
}

/** A stream of Node as a ByteChannel. */
export function byteChannel(stream: Duplex): ByteChannel {
  stream.on('error', () => {})
  const closed = new Promise<void>(resolve => stream.once('close', resolve))
  // The bridge ends its output when the vchan is closed; Node's `end` comes after all data was read.
  const ended = () => stream.readableEnded || stream.destroyed
  const changed = () =>
    new Promise<void>(resolve => {
      const done = () => {
        stream.off('readable', done).off('end', done).off('close', done)
        resolve()
      }
      stream.on('readable', done).on('end', done).on('close', done)
    })
  const read = async (size?: number): Promise<Uint8Array | undefined> => {
    for (;;) {
      const bytes = stream.read(size) as Buffer | null
      if (bytes) return new Uint8Array(bytes)
      if (ended()) return undefined
      await changed()
    }
  }
  return {
    closed,
    // A stream of Node tells nothing of itself without waiting.
    tryRead: () => undefined,
    tryWrite: () => false,
    readable: async () => {},
    whenReadable: () => true,
    whenClosed: callback => void (callback && closed.then(callback)),
    async read(max = 65536) {
      const bytes = await read()
      if (bytes && bytes.length > max) {
        stream.unshift(bytes.subarray(max))
        return bytes.slice(0, max)
      }
      return bytes
    },
    async readExactly(length) {
      const out = new Uint8Array(length)
      for (let filled = 0; filled < length; ) {
        const bytes = await this.read(length - filled)
        if (!bytes && filled === 0) return undefined
        if (!bytes) throw new ChannelClosedError(`the vchan closed ${length - filled} bytes before the end of a message`)
        out.set(bytes, filled)
        filled += bytes.length
      }
      return out
    },
    write(bytes) {
      return new Promise((resolve, reject) =>
        stream.write(bytes, error => (error ? reject(new ChannelClosedError('the vchan is closed')) : resolve())),
      )
    },
    close() {
      // What was written is still passed on; what arrives is dropped. Closing with unread bytes would reset the connection.
      stream.end()
      stream.resume()
      setTimeout(() => stream.destroy(), 5000).unref()
    },
  }
}
