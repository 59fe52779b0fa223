/** The web platform's classes themselves. Programs have them as globals: globals.ts, inject.ts. */
export { AbortController, AbortSignal } from './abort.ts'
export { createEncoding } from './encoding.ts'
export { ReadableStream, TransformStream, WritableStream } from './streams/streams.ts'
