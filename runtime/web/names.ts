/**
 * Which web APIs a program uses, by its text: `globalThis.URL`, `const { Headers } = globalThis` and `'Request' in globalThis` are as good as
 * `new URL(...)`. A name that stands there for something else links in too much, never too little. For the tool; nothing of it is in an image.
 */

import { encodingsIn } from './encodings/used.ts'

/** All that inject.ts exports. */
export const webNames: readonly string[] = [
  'Blob',
  'BroadcastChannel',
  'ByteLengthQueuingStrategy',
  'CloseEvent',
  'CompressionStream',
  'CountQueuingStrategy',
  'Crypto',
  'CryptoKey',
  'CustomEvent',
  'DecompressionStream',
  'ErrorEvent',
  'File',
  'FormData',
  'Headers',
  'Intl',
  'MessageChannel',
  'MessageEvent',
  'MessagePort',
  'PerformanceEntry',
  'PerformanceMark',
  'PerformanceMeasure',
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
  'URLPattern',
  'URLSearchParams',
  'WritableStream',
  'WritableStreamDefaultController',
  'WritableStreamDefaultWriter',
  'addEventListener',
  'atob',
  'btoa',
  'dispatchEvent',
  'removeEventListener',
  'scheduler',
  'structuredClone',
]

/** What globals.ts always puts on the global object. */
export const alwaysThere: readonly string[] = [
  'AbortController',
  'AbortSignal',
  'DOMException',
  'Event',
  'EventTarget',
  'Performance',
  'TextDecoder',
  'TextEncoder',
  'clearInterval',
  'clearTimeout',
  'crypto',
  'performance',
  'queueMicrotask',
  'reportError',
  'self',
  'setInterval',
  'setTimeout',
]

/** What makers.ts makes for programs that name it. */
export const madeNames: readonly string[] = ['Navigator', 'console', 'navigator']

/** What adds to the global object, or to one that is always there: the module in this folder, and what it exports. */
interface Addition {
  readonly module: string
  readonly add: string
}
/** Members of `performance`, also taken out of it by a pattern. */
const timing =
  /(?:\.|\[\s*['"`])\s*(?:mark|measure|getEntries\w*|clearMarks|clearMeasures)\b|\{[^{}]*\b(?:mark|measure|getEntries\w*|clearMarks|clearMeasures)\b[^{}]*\}\s*=\s*[\w.]*performance\b/
const additions: Readonly<Record<string, Addition & { isIn(code: string): boolean }>> = {
  console: { isIn: code => /\bconsole\b/.test(code), module: './console.ts', add: 'addConsole' },
  // Handler properties of the global object.
  handlers: {
    isIn: code => /\bon(?:error|unhandledrejection|rejectionhandled)\b/.test(code),
    module: './error-events.ts',
    add: 'addGlobalHandlers',
  },
  navigator: { isIn: code => /\bnavigator\b/i.test(code), module: './navigator.ts', add: 'addNavigator' },
  table: {
    isIn: code => /\bconsole\b/.test(code) && /(?:\.|\[\s*['"`]|[{,]\s*)table\b/.test(code),
    module: './console-table.ts',
    add: 'addTables',
  },
  // Where a module was compiled only: packages that can do without would take it for one that compiles.
  webassembly: {
    isIn: code => /\bWebAssembly\b/.test(code) && /\bhash: ?["'][0-9a-f]{16}["'],\s*imports: ?\[/.test(code),
    module: './webassembly/index.ts',
    add: 'addWebAssembly',
  },
  timing: {
    isIn: code => /\bperformance\b/.test(code) && timing.test(code),
    module: './timing.ts',
    add: 'addTiming',
  },
}

/** Encodings of TextDecoder; a name that is not here is that of a table of single bytes. */
const encodings: Readonly<Record<string, Addition>> = {
  utf16: { module: './encodings/utf16.ts', add: 'addUtf16' },
  others: { module: './encodings/others.ts', add: 'addOthers' },
}
const ENCODING = 'encoding:'

/** Methods of the language that take a locale, and the modules with them: the engine's own know none. */
const localeMethods: readonly { readonly name: string; readonly called: RegExp; readonly module: string }[] = [
  { name: 'compare', called: /\.\s*localeCompare\s*(?:\?\.\s*)?\(/, module: '../intl/compare-method.ts' },
  { name: 'dates', called: /\.\s*toLocale(?:Date|Time)?String\s*(?:\?\.\s*)?\(/, module: '../intl/date-methods.ts' },
  { name: 'numbers', called: /\.\s*toLocaleString\s*(?:\?\.\s*)?\(/, module: '../intl/number-methods.ts' },
]

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
/** What gives a Blob or a form without its name: methods of a Request or Response. */
const blobs = /\.\s*blob\s*\(|['"`]blob['"`]|[{,]\s*blob\b/
const forms = /\bformData\b/
/** What a Blob has in an image with streams. */
const ofBlobs = /\.\s*stream\s*\(|['"`]stream['"`]|[{,]\s*stream\b(?!\s*:\s*(?:true|false|!))/

/** Streams of a call, which may become a body. */
const ofCalls = /\b(?:stdin|stdout)\b/

/**
 * @param code of the program and its packages, bundled, without comments and types
 * @returns names of webNames, and of what else belongs to the image (webNamesModule knows them), sorted
 */
export function webNamesIn(code: string): string[] {
  const found = new Set(code.match(new RegExp(`(?<![\\w$])(?:${webNames.join('|')})(?![\\w$])`, 'g')))
  const hasBodies = found.has('Response') || found.has('Request')
  for (const [name, { isIn }] of Object.entries(additions)) if (isIn(code)) found.add(name)
  for (const name of encodingsIn(code)) found.add(ENCODING + name)
  if (blobs.test(code)) found.add('Blob')
  if (forms.test(code)) found.add('FormData')
  const hasBlobs = found.has('Blob') || found.has('File') || found.has('FormData')
  if (streams.test(code) || (hasBodies && ofCalls.test(code)) || (hasBlobs && ofBlobs.test(code))) found.add('ReadableStream')
  if (/\bcrypto\b/.test(code) && subtleMethods.test(code) && subtle.test(code)) for (const module of subtleModules(code)) found.add(module)
  for (const { name, called } of localeMethods) if (called.test(code)) found.add(name)
  return [...found].sort()
}

const isExposed = new Set(webNames)

/** The module that puts them on the global object. It must be evaluated before the program. */
export function webNamesModule(names: readonly string[]): string {
  const own = (module: string): string => JSON.stringify(decodeURIComponent(new URL(module, import.meta.url).pathname))
  const exposed = names.filter(name => isExposed.has(name)).join(', ')
  const ofTexts = names.filter(name => name.startsWith(ENCODING)).map(name => name.slice(ENCODING.length))
  const tables = ofTexts.filter(name => !Object.hasOwn(encodings, name))
  const added = [
    ...names.filter(name => Object.hasOwn(additions, name)).map(name => additions[name]),
    ...ofTexts.filter(name => Object.hasOwn(encodings, name)).map(name => encodings[name]),
  ]
  const modules = algorithms.filter(([name]) => names.includes(name)).map(([, module]) => module)
  return [
    `import { expose } from ${own('./expose.ts')}`,
    `import { ${exposed} } from ${own('./inject.ts')}`,
    `expose(globalThis, { ${exposed} })`,
    ...added.flatMap(({ module, add }) => [`import { ${add} } from ${own(module)}`, `${add}()`]),
    ...(tables.length > 0
      ? [
          `import { addSingleBytes } from ${own('./encodings/single-byte.ts')}`,
          `import { ${tables} } from ${own('./encodings/tables.ts')}`,
          `addSingleBytes(${tables})`,
        ]
      : []),
    ...(modules.length > 0
      ? [
          `import { linkSubtle } from ${own('./subtle/link.ts')}`,
          ...modules.map((module, i) => `import { algorithms as __algorithms${i} } from ${own(module)}`),
          `linkSubtle([${modules.map((_, i) => `__algorithms${i}`).join(', ')}])`,
        ]
      : []),
    ...localeMethods.filter(({ name }) => names.includes(name)).map(({ module }) => `import ${own(module)}`),
  ].join('\n')
}
