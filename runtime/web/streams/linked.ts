/**
 * The streams as an image has them: large, so they are linked in only where something needs one (names.ts). What can do without, such as a
 * Response of text, looks here.
 */
import type { ReadableStream, WritableStream } from 'web-streams-polyfill'
import { SmallReadable, SmallWritable } from './small.ts'

interface Streams {
  readonly ReadableStream: typeof ReadableStream
  readonly WritableStream: typeof WritableStream
}
let linked: Streams | undefined

/** Called by streams.ts when it is in the image. */
export const link = (streams: Streams): void => {
  linked = streams
}

export const hasStreams = (): boolean => linked !== undefined

export const isReadableStream = (value: unknown): value is ReadableStream<any> =>
  linked !== undefined && value instanceof linked.ReadableStream

/**
 * What a class of streams extends that is much used without being one for others: the streams of an image, and in one without them what is
 * left of these. To be asked when the first is made: modules of the program may bring streams.
 */
export const streamBases = (): Streams => linked ?? ({ ReadableStream: SmallReadable, WritableStream: SmallWritable } as unknown as Streams)

/** @throws TypeError in an image without streams, which the tool makes only for a program that names nothing of theirs */
export function readableStreams(): typeof ReadableStream {
  if (linked === undefined) throw new TypeError('this image has no streams: name ReadableStream in the program, and build it again')
  return linked.ReadableStream
}

/** Whether anything was read from it, or it was cancelled: a slot of the standard without a name that programs see. */
export const isDisturbed = (stream: ReadableStream<any>): boolean => (stream as unknown as { _disturbed: boolean })._disturbed
