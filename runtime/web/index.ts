/** The web platform's classes themselves. Programs have them as globals: globals.ts, inject.ts. */
export { AbortController, AbortSignal } from './abort.ts'
export { DOMException } from './dom-exception.ts'
export { createEncoding } from './encoding.ts'
export { Response } from './fetch/response.ts'
export { ReadableStream, TransformStream, WritableStream } from './streams/streams.ts'
export { formatIpv6, parseHost, parseIpv6 } from './url/host.ts'
export { isPlainUrl } from './url/parse.ts'
export { decodeUtf8 } from './utf8.ts'
