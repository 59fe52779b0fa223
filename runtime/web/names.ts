/**
 * Which web APIs a program uses, by its text: `globalThis.URL`, `const { Headers } = globalThis` and `'Request' in globalThis` are as good as
 * `new URL(...)`. A name that stands there for something else links in too much, never too little. For the tool; nothing of it is in an image.
 */

/** All that inject.ts exports. */
export const webNames: readonly string[] = [
  'ByteLengthQueuingStrategy',
  'CountQueuingStrategy',
  'Crypto',
  'CryptoKey',
  'ErrorEvent',
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
  'SubtleCrypto',
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

/** What all use of crypto.subtle begins with: the other methods need a key. */
const subtleMethods = /\b(?:digest|generateKey|importKey)\b/

/** The property `subtle`, or a pattern that takes it; not the word in a text. */
const subtle = new RegExp(
  [/\.\s*subtle\b/, /\[\s*['"`]subtle['"`]\s*\]/, /\{\s*(?:[\w$]+\s*(?::\s*[\w$]+\s*)?,\s*)*subtle\s*[,}:=]/, /['"`]subtle['"`]\s+in\b/]
    .map(part => part.source)
    .join('|'),
)

/**
 * Modules of subtle/ with the algorithms of crypto.subtle that a text names. Their names know no case. A hash function whose name is put together
 * may be any of them.
 */
const algorithms: readonly (readonly [name: string, module: string, words: RegExp])[] = [
  ['subtle/aes', './subtle/aes.ts', /\bAES-/i],
  ['subtle/ecdh', './subtle/ecdh.ts', /\bECDH\b/i],
  ['subtle/ecdsa', './subtle/ecdsa.ts', /\bECDSA\b/i],
  ['subtle/ed25519', './subtle/ed25519.ts', /\bEd25519\b/i],
  ['subtle/hkdf', './subtle/hkdf.ts', /\bHKDF\b/i],
  ['subtle/hmac', './subtle/hmac.ts', /\bHMAC\b/i],
  ['subtle/pbkdf2', './subtle/pbkdf2.ts', /\bPBKDF2\b/i],
  ['subtle/rsa', './subtle/rsa.ts', /\bRSA(?:SSA-PKCS1|-PSS|-OAEP)/i],
  ['subtle/sha1', './subtle/sha1.ts', /\bSHA-(?:1\b|(?!\d))/i],
  ['subtle/sha256', './subtle/sha256.ts', /\bSHA-(?:256\b|(?!\d))/i],
  ['subtle/sha512', './subtle/sha512.ts', /\bSHA-(?:384\b|512\b|(?!\d))/i],
  ['subtle/x25519', './subtle/x25519.ts', /\bX25519\b/i],
]

/** All of them where none is named: then the program gets their names from somewhere else. */
function subtleModules(code: string): string[] {
  const named = algorithms.filter(([, , words]) => words.test(code))
  return (named.length > 0 ? named : algorithms).map(([name]) => name)
}

/** Streams of a call, which may become a body. */
const ofCalls = /\b(?:stdin|stdout)\b/

/**
 * @param code of the program and its packages, bundled, without comments and types
 * @returns names of webNames, sorted, `handlers` when handler properties are used, and `subtle/MODULE` for each of these with algorithms
 */
export function webNamesIn(code: string): string[] {
  const found = new Set(code.match(new RegExp(`(?<![\\w$])(?:${webNames.join('|')})(?![\\w$])`, 'g')))
  const hasBodies = found.has('Response') || found.has('Request')
  if (streams.test(code) || (hasBodies && ofCalls.test(code))) found.add('ReadableStream')
  if (handlers.test(code)) found.add('handlers')
  if (/\bcrypto\b/.test(code) && subtleMethods.test(code) && subtle.test(code)) for (const module of subtleModules(code)) found.add(module)
  return [...found].sort()
}

/** The module that puts them on the global object. It must be evaluated before the program. */
export function webNamesModule(names: readonly string[]): string {
  const own = (module: string): string => decodeURIComponent(new URL(module, import.meta.url).pathname)
  const exposed = names.filter(name => webNames.includes(name)).join(', ')
  const modules = algorithms.filter(([name]) => names.includes(name)).map(([, module]) => module)
  return [
    `import { expose } from ${JSON.stringify(own('./expose.ts'))}`,
    `import { ${exposed} } from ${JSON.stringify(own('./inject.ts'))}`,
    `expose(globalThis, { ${exposed} })`,
    ...(names.includes('handlers')
      ? [`import { handlers } from ${JSON.stringify(own('./error-events.ts'))}`, 'Object.defineProperties(globalThis, handlers)']
      : []),
    ...(modules.length > 0
      ? [
          `import { linkSubtle } from ${JSON.stringify(own('./subtle/link.ts'))}`,
          ...modules.map((module, i) => `import { algorithms as __algorithms${i} } from ${JSON.stringify(own(module))}`),
          `linkSubtle([${modules.map((_, i) => `__algorithms${i}`).join(', ')}])`,
        ]
      : []),
  ].join('\n')
}
