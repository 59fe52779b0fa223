/** The web platform's classes themselves. Programs have them as globals: globals.ts, inject.ts. */
export { AbortController, AbortSignal } from './abort.ts'
export { DOMException } from './dom-exception.ts'
export { createEncoding } from './encoding.ts'
export { Response } from './fetch/response.ts'
export { type ReadableController, ReadableStream } from './streams/readable-stream.ts'
export { TransformStream, WritableStream } from './streams/writable-stream.ts'
export { isPlainUrl } from './url/parse.ts'
