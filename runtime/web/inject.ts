/**
 * The web APIs that a bundle gets only where it uses them: esbuild's `inject` replaces the free identifiers of these names. The small ones
 * that nearly everybody uses are globals (globals.ts).
 */

export { atob, btoa } from './base64.ts'
export { Headers } from './fetch/headers.ts'
export { Request } from './fetch/request.ts'
export { Response } from './fetch/response.ts'
export {
  ByteLengthQueuingStrategy,
  CountQueuingStrategy,
  ReadableByteStreamController,
  ReadableStream,
  ReadableStreamBYOBReader,
  ReadableStreamBYOBRequest,
  ReadableStreamDefaultController,
  ReadableStreamDefaultReader,
  TransformStream,
  TransformStreamDefaultController,
  WritableStream,
  WritableStreamDefaultController,
  WritableStreamDefaultWriter,
} from './streams/streams.ts'
export { structuredClone } from './structured-clone.ts'
export { URL } from './url/url.ts'
export { URLSearchParams } from './url/url-search-params.ts'
