/**
 * The web APIs that an image has only where something uses them: esbuild's `inject` gives them to who names them as free identifiers, and
 * names.ts finds what else a program calls by these names. The small ones that nearly everybody uses are always there (globals.ts).
 */

export { Intl } from '../intl/index.ts'
export { atob, btoa } from './base64.ts'
export { Crypto } from './crypto.ts'
export { CustomEvent } from './custom-event.ts'
export { addEventListener, dispatchEvent, ErrorEvent, PromiseRejectionEvent, removeEventListener } from './error-events.ts'
export { Headers } from './fetch/headers.ts'
export { Request } from './fetch/request.ts'
export { Response } from './fetch/response.ts'
export { Blob } from './file/blob.ts'
export { File } from './file/file.ts'
export { FormData } from './form/form-data.ts'
export { BroadcastChannel } from './messages/broadcast-channel.ts'
export { CloseEvent } from './messages/close-event.ts'
export { MessageEvent } from './messages/message-event.ts'
export { MessageChannel, MessagePort } from './messages/message-port.ts'
export { scheduler } from './scheduler.ts'
export { CompressionStream } from './streams/compression.ts'
export { DecompressionStream } from './streams/decompression.ts'
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
export { TextDecoderStream, TextEncoderStream } from './streams/text.ts'
export { structuredClone } from './structured-clone.ts'
export { CryptoKey } from './subtle/key.ts'
export { SubtleCrypto } from './subtle/subtle.ts'
export { PerformanceEntry, PerformanceMark, PerformanceMeasure } from './timing.ts'
export { URL } from './url/url.ts'
export { URLPattern } from './url/url-pattern.ts'
export { URLSearchParams } from './url/url-search-params.ts'
