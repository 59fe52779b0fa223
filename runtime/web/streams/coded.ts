/**
 * A pair of streams with something between them that makes bytes of bytes. Unlike a TransformStream it waits for the reader after each piece:
 * a few bytes may become a thousand times as many.
 */
import { ReadableStream, WritableStream } from './streams.ts'

type Bytes = Uint8Array<ArrayBuffer>

export interface Coder {
  /** More input, when `pull` has used up what there was. The coder's own from now on. */
  push(input: Bytes): void
  /** No more input. @throws TypeError when there should have been more */
  end(): void
  /** The next piece of output, of bounded size; undefined when all input is used up. @throws TypeError for input that is wrong */
  pull(): Bytes | undefined
}

export interface Pair {
  readonly readable: ReadableStream<Bytes>
  readonly writable: WritableStream<ArrayBuffer | ArrayBufferView>
}

/** Input goes to the coder in pieces of at most so many bytes. */
const INPUT = 32 * 1024
/** After so much output others have their turn: an interpreter works on it for some 20 ms. */
const MUCH = 32 * 1024

const turn = () => new Promise<void>(resolve => void setTimeout(resolve, 0))

/** @param name of the class, for messages */
export function codedStreams(name: string, coder: Coder): Pair {
  /** The reader waits for a piece. */
  let isWanted = false
  /** What the writer waits for, and what the reader's `pull` does. */
  let wake = (): void => {}
  let given = (): void => {}
  /** Nobody reads any more, or the writer has given up; why. */
  let isOver = false
  let reason: unknown
  let output: { enqueue(bytes: Bytes): void; close(): void; error(reason: unknown): void }
  let input: { error(reason: unknown): void; readonly signal?: AbortSignal }

  const over = (why: unknown): void => {
    isOver = true
    reason = why
    wake()
  }
  const give = (piece: Bytes): void => {
    isWanted = false
    output.enqueue(piece)
    given()
  }
  /** What the input so far becomes, as fast as it is read. One piece is made ahead: so the writer learns that there are no more. */
  const drain = async (): Promise<void> => {
    for (let piece = coder.pull(); piece !== undefined; piece = coder.pull()) {
      if (!isWanted && !isOver) {
        await new Promise<void>(resolve => {
          wake = resolve
        })
      }
      if (isOver) throw reason
      give(piece)
      if (piece.length > MUCH) await turn()
    }
  }
  /** What fails on one side is the end of both. */
  const failing = async (work: () => Promise<void> | void): Promise<void> => {
    try {
      await work()
    } catch (error) {
      output.error(error)
      throw error
    }
  }

  const readable = new ReadableStream<Bytes>(
    {
      start(controller) {
        output = controller
      },
      pull() {
        isWanted = true
        wake()
        return new Promise<void>(resolve => {
          given = resolve
        })
      },
      cancel(why) {
        over(why)
        input.error(why)
      },
    },
    { highWaterMark: 0 },
  )
  const writable = new WritableStream<ArrayBuffer | ArrayBufferView>({
    start(controller) {
      input = controller
      controller.signal?.addEventListener('abort', () => over(controller.signal.reason))
    },
    write: chunk =>
      failing(async () => {
        const bytes = bytesOf(name, chunk)
        for (let at = 0; at < bytes.length; at += INPUT) {
          if (at > 0) await turn()
          if (isOver) throw reason
          coder.push(bytes.slice(at, at + INPUT))
          await drain()
        }
      }),
    close: () =>
      failing(() => {
        coder.end()
        // What is left is little, and who closes may not read before.
        for (let piece = coder.pull(); piece !== undefined; piece = coder.pull()) give(piece)
        output.close()
      }),
    abort(why) {
      output.error(why)
    },
  })
  return { readable, writable }
}

/** @throws TypeError for what is no BufferSource; memory that is shared is none */
function bytesOf(name: string, chunk: unknown): Bytes {
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk)
  if (ArrayBuffer.isView(chunk) && chunk.buffer instanceof ArrayBuffer)
    return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength)
  throw new TypeError(`${name}: a chunk must be an ArrayBuffer or a view of one`)
}

export type Format = 'deflate' | 'deflate-raw' | 'gzip'

/** @throws TypeError for a format that the standard does not have */
export function formatOf(name: string, format: unknown): Format {
  const text = `${format as string}`
  if (text !== 'deflate' && text !== 'deflate-raw' && text !== 'gzip')
    throw new TypeError(`${name}: the format is '${text}': it must be 'deflate', 'deflate-raw' or 'gzip'`)
  return text
}
