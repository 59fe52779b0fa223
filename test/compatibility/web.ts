/** What the web platform's names must have: the Minimum Common Web API (ECMA-429, first edition, 2025), and the standards that it names. */

const body = 'body bodyUsed arrayBuffer blob bytes formData json text'
const iterable = 'entries keys values forEach'
const crypto = 'subtle getRandomValues randomUUID'
const performance = 'now timeOrigin toJSON'

/** Interfaces, with their members; those of the interface object itself after a `|`. */
export const interfaces: Readonly<Record<string, string>> = {
  AbortController: 'signal abort',
  AbortSignal: 'aborted reason throwIfAborted onabort | abort any timeout',
  Blob: 'size type arrayBuffer bytes slice stream text',
  ByteLengthQueuingStrategy: 'highWaterMark size',
  CompressionStream: 'readable writable',
  CountQueuingStrategy: 'highWaterMark size',
  Crypto: crypto,
  CryptoKey: 'type extractable algorithm usages',
  CustomEvent: 'detail',
  DecompressionStream: 'readable writable',
  DOMException: 'name message code | INDEX_SIZE_ERR DATA_CLONE_ERR',
  ErrorEvent: 'message filename lineno colno error',
  Event:
    'type target srcElement currentTarget eventPhase composedPath stopPropagation stopImmediatePropagation cancelBubble bubbles cancelable ' +
    'returnValue preventDefault defaultPrevented composed isTrusted timeStamp | NONE CAPTURING_PHASE AT_TARGET BUBBLING_PHASE',
  EventTarget: 'addEventListener removeEventListener dispatchEvent',
  File: 'name lastModified size type arrayBuffer bytes slice stream text',
  FormData: `append delete get getAll has set ${iterable}`,
  Headers: `append delete get getSetCookie has set ${iterable}`,
  MessageChannel: 'port1 port2',
  MessageEvent: 'data origin lastEventId source ports',
  MessagePort: 'postMessage start close onmessage onmessageerror',
  Performance: performance,
  PromiseRejectionEvent: 'promise reason',
  ReadableByteStreamController: 'byobRequest desiredSize close enqueue error',
  ReadableStream: 'locked cancel getReader pipeThrough pipeTo tee values | from',
  ReadableStreamBYOBReader: 'closed cancel read releaseLock',
  ReadableStreamBYOBRequest: 'view respond respondWithNewView',
  ReadableStreamDefaultController: 'desiredSize close enqueue error',
  ReadableStreamDefaultReader: 'closed cancel read releaseLock',
  Request: `method url headers destination referrer referrerPolicy mode credentials cache redirect integrity keepalive signal duplex clone ${body}`,
  Response: `type url redirected status ok statusText headers clone ${body} | error json redirect`,
  SubtleCrypto: 'encrypt decrypt sign verify digest generateKey deriveKey deriveBits importKey exportKey wrapKey unwrapKey',
  TextDecoder: 'encoding fatal ignoreBOM decode',
  TextDecoderStream: 'encoding fatal ignoreBOM readable writable',
  TextEncoder: 'encoding encode encodeInto',
  TextEncoderStream: 'encoding readable writable',
  TransformStream: 'readable writable',
  TransformStreamDefaultController: 'desiredSize enqueue error terminate',
  URL: 'href origin protocol username password host hostname port pathname search searchParams hash toJSON toString | parse canParse',
  URLPattern: 'test exec protocol username password hostname port pathname search hash hasRegExpGroups',
  URLSearchParams: `size append delete get getAll has set sort toString ${iterable}`,
  WritableStream: 'locked abort close getWriter',
  WritableStreamDefaultController: 'signal error',
  WritableStreamDefaultWriter: 'closed desiredSize ready abort close releaseLock write',
}

/** Objects and functions of the global object, with the members that count. */
export const globals: Readonly<Record<string, string>> = {
  atob: '',
  btoa: '',
  clearInterval: '',
  clearTimeout: '',
  console:
    'assert clear debug error info log table trace warn dir dirxml count countReset group groupCollapsed groupEnd time timeLog timeEnd',
  crypto,
  fetch: '',
  navigator: 'userAgent',
  onerror: '',
  onrejectionhandled: '',
  onunhandledrejection: '',
  performance,
  queueMicrotask: '',
  reportError: '',
  self: '',
  setInterval: '',
  setTimeout: '',
  structuredClone: '',
  WebAssembly:
    'Global Instance Memory Module Table Tag Exception CompileError LinkError RuntimeError JSTag compile compileStreaming instantiate instantiateStreaming validate',
}

/** Members of names beyond ECMA-429. */
export const others: Readonly<Record<string, string>> = {
  Intl:
    'Collator DateTimeFormat DisplayNames DurationFormat ListFormat Locale NumberFormat PluralRules RelativeTimeFormat Segmenter ' +
    'getCanonicalLocales supportedValuesOf',
}

/**
 * What is not to be seen from members: a sentence for the page, and an expression that is true (or a promise of it) as soon as it does not
 * hold any more.
 */
export const limits: readonly { readonly name: string; readonly what: string; readonly gone: string }[] = [
  ...['Request', 'Response'].flatMap(name => {
    const made = (content: string) =>
      `new ${name}(${name === 'Request' ? `'http://a/', { method: 'POST', body: 'a=1',` : `'a=1', {`} headers: { 'Content-Type': '${content}' } })`
    return [
      { name, what: '`blob()` refuses', gone: `${made('text/plain')}.blob().then(blob => blob.size === 3)` },
      {
        name,
        what: '`formData()` refuses',
        gone: `${made('application/x-www-form-urlencoded')}.formData().then(form => form.get('a') === '1')`,
      },
    ]
  }),
  { name: 'TextDecoder', what: 'no UTF-16', gone: "new TextDecoder('utf-16le').decode(new Uint8Array([65, 0])) === 'A'" },
  {
    name: 'TextDecoder',
    what: 'no legacy encodings',
    gone: "new TextDecoder('windows-1252').decode(new Uint8Array([128])) === '\\u20ac'",
  },
  { name: 'Intl', what: 'English only', gone: "new Intl.NumberFormat('de').format(0.5) === '0,5'" },
  {
    name: 'Intl',
    what: 'no `formatRange`',
    gone: "'formatRange' in Intl.NumberFormat.prototype && 'formatRange' in Intl.DateTimeFormat.prototype",
  },
  {
    name: 'structuredClone',
    what: 'no transfer of buffers',
    gone: '(b => (structuredClone(b, { transfer: [b] }), b.byteLength === 0))(new ArrayBuffer(8))',
  },
]

/** Methods of the language that take a locale: what a call of them is to give. */
export const localeMethods: readonly { readonly name: string; readonly call: string; readonly gives: string }[] = [
  { name: '`localeCompare`', call: "'a'.localeCompare('B')", gives: '-1' },
  { name: '`toLocaleString`', call: '(1234.5).toLocaleString()', gives: '1,234.5' },
  {
    name: '`toLocaleDateString`, `toLocaleTimeString`',
    call: "new Date(0).toLocaleDateString('en', { dateStyle: 'long' })",
    gives: 'January 1, 1970',
  },
]

export const ecma429: readonly string[] = [...Object.keys(interfaces), ...Object.keys(globals)]

/** All members of a name: own ones of the interface object begin with a dot. */
export const membersOf = (name: string): string[] => {
  const [own = '', fixed = ''] = (interfaces[name] ?? globals[name] ?? others[name] ?? '').split('|')
  return [...own.split(' '), ...fixed.split(' ').map(member => member && `.${member}`)].filter(member => member !== '')
}
