/**
 * The web APIs that a bundle gets only where it uses them: esbuild's `inject` replaces the free identifiers of these names. The small ones
 * that nearly everybody uses are globals (globals.ts).
 */
export { Headers } from './headers.ts'
export { ByteLengthQueuingStrategy, CountQueuingStrategy, ReadableStream, ReadableStreamDefaultReader } from './readable-stream.ts'
export { Request } from './request.ts'
export { Response } from './response.ts'
export { structuredClone } from './structured-clone.ts'
export { URL } from './url.ts'
export { URLSearchParams } from './url-search-params.ts'
export { TransformStream, WritableStream, WritableStreamDefaultWriter } from './writable-stream.ts'
export { atob, btoa } from './base64.ts'
