/** The web platform's classes themselves. Programs have them as globals: globals.ts, inject.ts. */
export { AbortController, AbortSignal } from './abort.ts'
export { DOMException } from './dom-exception.ts'
export { createEncoding } from './encoding.ts'
export { Response } from './fetch/response.ts'
export { streamBases } from './streams/linked.ts'
export { SmallReadable, SmallWritable } from './streams/small.ts'
export { ReadableStream, TransformStream, WritableStream } from './streams/streams.ts'
export { isPlainUrl } from './url/parse.ts'
