/**
 * Bytes in pieces that nobody changes any more: what a Blob has, and the body that a form becomes. Parts of it share the bytes, so that a
 * file of an upload lies where the body of the request came in.
 */
import type { ReadableStream } from 'web-streams-polyfill'
import { readableStreams } from '../streams/linked.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** A stream gives pieces of at most so many bytes. */
const CHUNK = 64 * 1024

export class Pieces {
  readonly list: readonly Bytes[]
  /** In bytes. */
  readonly size: number
  /** MIME type; empty when it is not known. */
  readonly type: string

  /** @param list not changed any more, from now on */
  constructor(list: readonly Bytes[], type = '') {
    this.list = list
    this.size = list.reduce((size, piece) => size + piece.length, 0)
    this.type = type
  }

  /** From `start` up to `end`, in bytes, within what there is. Nothing is copied. */
  slice(start: number, end: number, type: string): Pieces {
    const list: Bytes[] = []
    let at = 0
    for (const piece of this.list) {
      const from = Math.max(start - at, 0)
      const to = Math.min(end - at, piece.length)
      if (from < to) list.push(piece.subarray(from, to))
      at += piece.length
    }
    return new Pieces(list, type)
  }

  /** As one array, which is not to be changed: the only piece itself, where there is only one. */
  joined(): Bytes {
    return this.list.length === 1 ? this.list[0] : this.copy()
  }

  /** As one array that belongs to who asked. */
  copy(): Bytes {
    const bytes = new Uint8Array(this.size)
    let at = 0
    for (const piece of this.list) {
      bytes.set(piece, at)
      at += piece.length
    }
    return bytes
  }

  /** @throws TypeError in an image without streams */
  stream(): ReadableStream<Bytes> {
    const list = this.list.filter(piece => piece.length > 0)
    let index = 0
    let at = 0
    return new (readableStreams())<Bytes>(
      {
        type: 'bytes',
        pull(controller) {
          if (index < list.length) {
            const piece = list[index]
            // A copy: who reads gets it for good.
            controller.enqueue(piece.slice(at, at + CHUNK))
            at += CHUNK
            if (at >= piece.length) {
              index++
              at = 0
            }
          }
          if (index < list.length) return
          controller.close()
          controller.byobRequest?.respond(0)
        },
      },
      { highWaterMark: 0 },
    )
  }
}
