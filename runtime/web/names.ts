/**
 * Which web APIs a program uses, by its text: `globalThis.URL`, `const { Headers } = globalThis` and `'Request' in globalThis` are as good as
 * `new URL(...)`. A name that stands there for something else links in too much, never too little. For the tool; nothing of it is in an image.
 */

/** All that inject.ts exports. */
export const webNames: readonly string[] = [
  'Blob',
  'ByteLengthQueuingStrategy',
  'CompressionStream',
  'CountQueuingStrategy',
  'DecompressionStream',
  'ErrorEvent',
  'File',
  'FormData',
  'Headers',
  'PromiseRejectionEvent',
  'ReadableByteStreamController',
  'ReadableStream',
  'ReadableStreamBYOBReader',
  'ReadableStreamBYOBRequest',
  'ReadableStreamDefaultController',
  'ReadableStreamDefaultReader',
  'Request',
  'Response',
  'TextDecoderStream',
  'TextEncoderStream',
  'TransformStream',
  'TransformStreamDefaultController',
  'URL',
  'URLSearchParams',
  'WritableStream',
  'WritableStreamDefaultController',
  'WritableStreamDefaultWriter',
  'addEventListener',
  'atob',
  'btoa',
  'dispatchEvent',
  'removeEventListener',
  'structuredClone',
]

/** What globals.ts always puts on the global object. */
export const alwaysThere: readonly string[] = [
  'AbortController',
  'AbortSignal',
  'CustomEvent',
  'DOMException',
  'Event',
  'EventTarget',
  'Navigator',
  'Performance',
  'TextDecoder',
  'TextEncoder',
  'clearInterval',
  'clearTimeout',
  'console',
  'crypto',
  'navigator',
  'performance',
  'queueMicrotask',
  'reportError',
  'self',
  'setInterval',
  'setTimeout',
]

/** Handler properties of the global object (error-events.ts). */
const handlers = /\bon(?:error|unhandledrejection)\b/

/**
 * What gives or takes a stream without its name: the property `body` (not a tag or a rule of CSS in a text), an asynchronous iterable that
 * becomes a body, the methods of a stream that somebody else made. Not `a.pipeTo(b)`: the streams of a qrexec call do that by
 * themselves, and for others b was made by somebody who named its class.
 */
const streams = new RegExp(
  [
    /(?:\.|\[\s*['"`]|[{,]\s*['"]?)body\b(?!\s*\{)/,
    /\basync\s*(?:function\s*)?\*/,
    /\b(?:asyncIterator|getReader|getWriter|pipeThrough)\b|\.\s*tee\s*\(/,
    /\bpipeTo\b(?!\s*\(\s*[\w$]+(?:\.[\w$]+)*\s*\))/,
  ]
    .map(part => part.source)
    .join('|'),
)

/** What gives a Blob or a form without its name: methods of a Request or Response. */
const blobs = /\.\s*blob\s*\(|['"`]blob['"`]|[{,]\s*blob\b/
const forms = /\bformData\b/
/** What a Blob has in an image with streams. */
const ofBlobs = /\.\s*stream\s*\(|['"`]stream['"`]|[{,]\s*stream\b(?!\s*:\s*(?:true|false|!))/

/** Streams of a call, which may become a body. */
const ofCalls = /\b(?:stdin|stdout)\b/

/**
 * @param code of the program and its packages, bundled, without comments and types
 * @returns names of webNames, sorted, and `handlers` when handler properties are used
 */
export function webNamesIn(code: string): string[] {
  const found = new Set(code.match(new RegExp(`(?<![\\w$])(?:${webNames.join('|')})(?![\\w$])`, 'g')))
  const hasBodies = found.has('Response') || found.has('Request')
  if (blobs.test(code)) found.add('Blob')
  if (forms.test(code)) found.add('FormData')
  const hasBlobs = found.has('Blob') || found.has('File') || found.has('FormData')
  if (streams.test(code) || (hasBodies && ofCalls.test(code)) || (hasBlobs && ofBlobs.test(code))) found.add('ReadableStream')
  if (handlers.test(code)) found.add('handlers')
  return [...found].sort()
}

/** The module that puts them on the global object. It must be evaluated before the program. */
export function webNamesModule(names: readonly string[]): string {
  const own = (module: string): string => decodeURIComponent(new URL(module, import.meta.url).pathname)
  const exposed = names.filter(name => name !== 'handlers').join(', ')
  return [
    `import { expose } from ${JSON.stringify(own('./expose.ts'))}`,
    `import { ${exposed} } from ${JSON.stringify(own('./inject.ts'))}`,
    `expose(globalThis, { ${exposed} })`,
    ...(names.includes('handlers')
      ? [`import { handlers } from ${JSON.stringify(own('./error-events.ts'))}`, 'Object.defineProperties(globalThis, handlers)']
      : []),
  ].join('\n')
}
