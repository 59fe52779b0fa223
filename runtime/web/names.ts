/**
 * Which web APIs a program uses, by its text: `globalThis.URL`, `const { Headers } = globalThis` and `'Request' in globalThis` are as good as
 * `new URL(...)`. A name that stands there for something else links in too much, never too little. For the tool; nothing of it is in an image.
 */

/** All that inject.ts exports. */
export const webNames: readonly string[] = [
  'ByteLengthQueuingStrategy',
  'CountQueuingStrategy',
  'ErrorEvent',
  'Headers',
  'Intl',
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

/** Methods of the language that take a locale, and the modules with them: the engine's own know none. */
const localeMethods: readonly { readonly name: string; readonly called: RegExp; readonly module: string }[] = [
  { name: 'compare', called: /\.\s*localeCompare\s*(?:\?\.\s*)?\(/, module: '../intl/compare-method.ts' },
  { name: 'dates', called: /\.\s*toLocale(?:Date|Time)?String\s*(?:\?\.\s*)?\(/, module: '../intl/date-methods.ts' },
  { name: 'numbers', called: /\.\s*toLocaleString\s*(?:\?\.\s*)?\(/, module: '../intl/number-methods.ts' },
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

/** Streams of a call, which may become a body. */
const ofCalls = /\b(?:stdin|stdout)\b/

/**
 * @param code of the program and its packages, bundled, without comments and types
 * @returns names of webNames, sorted; `handlers` when handler properties are used; names of localeMethods
 */
export function webNamesIn(code: string): string[] {
  const found = new Set(code.match(new RegExp(`(?<![\\w$])(?:${webNames.join('|')})(?![\\w$])`, 'g')))
  const hasBodies = found.has('Response') || found.has('Request')
  if (streams.test(code) || (hasBodies && ofCalls.test(code))) found.add('ReadableStream')
  if (handlers.test(code)) found.add('handlers')
  for (const { name, called } of localeMethods) if (called.test(code)) found.add(name)
  return [...found].sort()
}

/** The module that puts them on the global object. It must be evaluated before the program. */
export function webNamesModule(names: readonly string[]): string {
  const own = (module: string): string => decodeURIComponent(new URL(module, import.meta.url).pathname)
  const exposed = names.filter(name => webNames.includes(name)).join(', ')
  return [
    `import { expose } from ${JSON.stringify(own('./expose.ts'))}`,
    `import { ${exposed} } from ${JSON.stringify(own('./inject.ts'))}`,
    `expose(globalThis, { ${exposed} })`,
    ...(names.includes('handlers')
      ? [`import { handlers } from ${JSON.stringify(own('./error-events.ts'))}`, 'Object.defineProperties(globalThis, handlers)']
      : []),
    ...localeMethods.filter(({ name }) => names.includes(name)).map(({ module }) => `import ${JSON.stringify(own(module))}`),
  ].join('\n')
}
