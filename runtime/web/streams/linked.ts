/**
 * The streams as an image has them: large, so they are linked in only where something needs one (names.ts). What can do without, such as a
 * Response of text, looks here.
 */
import type { ReadableStream } from 'web-streams-polyfill'

let linked: typeof ReadableStream | undefined

/** Called by streams.ts when it is in the image. */
export const link = (Class: typeof ReadableStream): void => {
  linked = Class
}

export const isReadableStream = (value: unknown): value is ReadableStream<any> => linked !== undefined && value instanceof linked

/** @throws TypeError in an image without streams, which the tool makes only for a program that names nothing of theirs */
export function readableStreams(): typeof ReadableStream {
  if (linked === undefined) throw new TypeError('this image has no streams: name ReadableStream in the program, and build it again')
  return linked
}

/** Whether anything was read from it, or it was cancelled: a slot of the standard without a name that programs see. */
export const isDisturbed = (stream: ReadableStream<any>): boolean => (stream as unknown as { _disturbed: boolean })._disturbed
