/** A channel as web streams, for pipeTo, pipeThrough and `for await`. In an image only if the program uses it. */
import type { ByteChannel } from '@xen-ts/drivers/channel'

/**
 * Nothing is read before somebody asks, and each piece is written when the one before is in the ring: who is slow on one side holds up
 * the peer on the other. The channel itself must not be read or written meanwhile.
 *
 * `readable` ends when the peer has closed and all was read. A vchan has no half-close: closing or aborting `writable` closes the
 * channel, and so does cancelling `readable`. To keep it open: `source.pipeTo(writable, { preventClose: true })`.
 */
export function streams(channel: ByteChannel): { readable: ReadableStream<Uint8Array>; writable: WritableStream<Uint8Array> } {
  const close = (): void => channel.close()
  return {
    readable: new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          const bytes = await channel.read()
          if (bytes === undefined) controller.close()
          else controller.enqueue(bytes)
        },
        cancel: close,
      },
      { highWaterMark: 0 },
    ), // it would read ahead otherwise
    writable: new WritableStream<Uint8Array>({
      // `abort` is called when the write under way has ended, and that one may be waiting for the peer.
      start: controller => (controller as typeof controller & { readonly signal: AbortSignal }).signal.addEventListener('abort', close),
      write: bytes => channel.write(bytes),
      close,
    }),
  }
}
