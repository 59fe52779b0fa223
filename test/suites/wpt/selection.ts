/** Which files of WPT concern a runtime without a browser, in which row of the table they count, and what they are about. */
import { names } from './names.ts'

/** Any of them will do; the first that is there is taken. */
export const repositories = ['web-platform-tests/wpt', 'MattiasBuelens/wpt', 'w3c/web-platform-tests']

/** What is unpacked: the tests, and what they load. */
export const folders = [
  'resources',
  'common',
  'interfaces',
  'url',
  'encoding',
  'streams',
  'fetch/api',
  'fetch/resources',
  'fetch/data-urls',
  'FileAPI',
  'xhr/formdata',
  'xhr/resources',
  'WebCryptoAPI',
  'compression',
  'dom/events',
  'dom/abort',
  'dom/constants.js',
  'html/webappapis',
  'html/infrastructure/safe-passing-of-structured-data',
  'hr-time',
  'urlpattern',
  'console',
  'webmessaging',
  'webidl',
  'user-timing',
  'websockets',
  'performance-timeline',
  'mimesniff',
  'media/foo.vtt',
  'media/test-av-384k-44100Hz-1ch-320x240-30fps-10kfr.webm',
]

/** Rows of the table: name, then which paths. The first that fits counts. */
export const rows: readonly (readonly [name: string, path: RegExp])[] = [
  ['IDL: shape of the interfaces', /\/idlharness\./],
  ['url: international names', /^url\/(Idna|toascii)/],
  ['url', /^url\//],
  ['base64', /^html\/webappapis\/atob\//],
  ['encoding/streams', /^encoding\/streams\//],
  ['encoding', /^encoding\//],
  ['streams/readable-streams', /^streams\/readable-streams\//],
  ['streams/readable-byte-streams', /^streams\/readable-byte-streams\//],
  ['streams/writable-streams', /^streams\/writable-streams\//],
  ['streams/transform-streams', /^streams\/transform-streams\//],
  ['streams/piping', /^streams\/piping\//],
  ['streams/queuing-strategies', /^streams\//],
  ['fetch/api/headers', /^fetch\/api\/headers\//],
  ['fetch/api/request', /^fetch\/api\/request\//],
  ['fetch/api/response', /^fetch\/api\/response\//],
  ['fetch/api: body, abort', /^fetch\/api\//],
  ['mimesniff', /^mimesniff\//],
  ['FileAPI', /^FileAPI\//],
  ['xhr/formdata', /^xhr\/formdata\//],
  ['WebCryptoAPI: digest, random', /^WebCryptoAPI\/(digest|getRandomValues|randomUUID|crypto_key)/],
  ['WebCryptoAPI: generateKey', /^WebCryptoAPI\/generateKey\//],
  ['WebCryptoAPI: derive', /^WebCryptoAPI\/derive_bits_keys\//],
  ['WebCryptoAPI: encrypt, sign', /^WebCryptoAPI\/(encrypt_decrypt|sign_verify)\//],
  ['WebCryptoAPI: import, wrap', /^WebCryptoAPI\//],
  ['compression', /^compression\//],
  ['dom/abort', /^dom\/abort\//],
  ['dom/events', /^dom\/events\//],
  ['html: structured clone', /^html\/webappapis\/structured-clone\//],
  ['html: timers', /^html\/webappapis\/timers\//],
  ['html: microtasks', /^html\/webappapis\/microtask-queuing\//],
  ['html: reportError, navigator, self', /^html\/webappapis\//],
  ['messages', /^(webmessaging|html\/infrastructure)\//],
  ['hr-time', /^hr-time\//],
  ['user-timing', /^user-timing\//],
  ['performance-timeline', /^performance-timeline\//],
  ['urlpattern', /^urlpattern\//],
  ['websockets: what needs no server', /^websockets\//],
  ['console', /^console\//],
  ['webidl', /^webidl\//],
]

/** What needs a server, a document, another realm or the collector, and curves that no standard asks for. */
const excluded = [
  /^fetch\/api\/(basic|cors|crashtests|credentials|policies|redirect)\//,
  /^fetch\/api\/abort\/(cache|general|keepalive)/,
  // These send requests.
  /^fetch\/api\/headers\/header-values/,
  /^fetch\/api\/response\/response-headers-guard/,
  /^fetch\/api\/request\/(request-bad-port|request-cache-|request-keepalive|multi-globals|destination)/,
  /^fetch\/api\/request\/request-reset-attributes/,
  /^fetch\/api\/response\/response-(cancel-stream|blob-realm)/,
  /^FileAPI\/(reading-data-section|url|fileReader|FileReader|filelist-section)/,
  /^FileAPI\/file\/(send-file|Worker-read)/,
  /^FileAPI\/.*\.worker\.js$/,
  /garbage-?collect/,
  /owning-type/,
  /^streams\/transferable\//,
  /shadowrealm/i,
  /^html\/webappapis\/(dynamic-markup|animation|scripting\/(?!reporterror)|user-prompts|update-rendering|the-windoworworker|timers\/.*window)/,
  /shared-array-buffers/,
  /user-activation/,
  /message-channels\/worker/,
  /webidl\/ecmascript-binding\/(global-|legacy)/,
  /(Ed|X)448|curve448/,
  /^WebCryptoAPI\/historical/,
  // These talk to a server.
  /^websockets\/(?!Create-(asciiSep|invalid|non|protocol)|Send-before|binaryType-wrong|constructor|close-invalid|idlharness|eventhandlers)/,
  /serialization-via/,
  /^urlpattern\/.*\.https\./,
  /performance-timeline\/(back-forward|not-restored|navigation|tentative)/,
  /droppedentriescount|webtiming-resolution/,
]

/** Tests that only a browser is to pass, by path and name: header names that a page must not send, words that navigator has for old pages. */
export const browserOnly: readonly (readonly [path: RegExp, name: RegExp])[] = [
  [/request\/request-headers\./, /invalid request header/],
  [/headers\/headers-no-cors\./, /./],
  [/headers\/header-setcookie\./, /forbidden response header/],
  [/navigator\.any/, /^(?!userAgent)/],
]

/** Messages of tests that need a server or a page: they do not count. */
export const needsBrowser =
  /there is no server here|'?\b(XMLHttpRequest|Worker|SharedWorker|FileReader|document|window|history)\b'? is not defined/

/** What a failing test says when a whole interface or encoding does not exist: it counts as absent, not as a failure. */
export const saysAbsent = (message: string): boolean =>
  /the encoding '[^']*' is not supported|of several bytes a character, is not there/.test(message) ||
  [/'?\b(\w+)\b'? is not defined/, /self does not have own property "(\w+)"/].some(pattern =>
    names.includes(pattern.exec(message)?.[1] ?? ''),
  )

/** Large generated files of which the variants or the slow half are left out. */
const sampledOut = [
  /generateKey\/(successes|failures)_(RSA-PSS|RSASSA)/, // RSA-OAEP stands for them
  /generateKey\/(successes|failures)_AES-(CBC|CTR|KW)/, // AES-GCM
]

/** Of these only the first variant is run: they have thousands of tests each. */
export const firstVariantOnly = [
  /^WebCryptoAPI\/generateKey\/(failures|successes)_(RSA|AES|HMAC)/,
  /^WebCryptoAPI\/derive_bits_keys\/(hkdf|pbkdf2)/,
]

/** Tests for windows that need none. */
const windowTests = /^url\/(IdnaTestV2(-removed)?|toascii)\.window\.js$|^compression\/.*-with-detach\..*window\.js$/

export const isTest = (path: string): boolean =>
  (/\.(any|worker)\.js$/.test(path) || windowTests.test(path)) &&
  rows.some(([, pattern]) => pattern.test(path)) &&
  ![...excluded, ...sampledOut].some(pattern => pattern.test(path))

export const rowOf = (path: string): string => rows.find(([, pattern]) => pattern.test(path))![0]

/**
 * What a file is about: an expression that has a value where the subject exists. A file without its subject is missing as a whole. The first
 * that fits counts; a file that fits none has a subject that must be there.
 */
const subjects: readonly (readonly [path: RegExp, subject: string])[] = [
  [/^encoding\/streams\/.*(encode-bad|encode-utf8)/, 'TextEncoderStream'],
  [/^encoding\/streams\//, 'TextDecoderStream'],
  [/^encoding\//, 'TextDecoder'],
  [/^streams\/readable-byte-streams\//, 'ReadableStreamBYOBReader'],
  [/^streams\/readable-streams\/from\./, 'ReadableStream.from'],
  [/^streams\/.*async-iterator/, 'ReadableStream.prototype.values'],
  [/^streams\/readable/, 'ReadableStream'],
  [/^streams\/(writable|piping)/, 'WritableStream'],
  [/^streams\/transform/, 'TransformStream'],
  [/^fetch\/api\/headers\//, 'Headers'],
  [/^fetch\/api\/(request|abort)\//, 'Request'],
  [/^fetch\/api\/response\/response-static-json/, 'Response.json'],
  [/^fetch\/api\/response\/response-static-error/, 'Response.error'],
  [/^fetch\/api\/response\/response-static-redirect/, 'Response.redirect'],
  [/^fetch\/api\/response\//, 'Response'],
  [/^fetch\/api\/body\/formdata/, 'FormData'],
  [/^fetch\/api\/body\//, 'Blob'],
  [/^mimesniff\//, 'Blob'],
  [/^FileAPI\/file\//, 'File'],
  [/^FileAPI\//, 'Blob'],
  [/^xhr\/formdata\//, 'FormData'],
  [/^WebCryptoAPI\/(getRandomValues|randomUUID)/, 'crypto'],
  [/^WebCryptoAPI\//, 'crypto.subtle'],
  [/^compression\/compression/, 'CompressionStream'],
  [/^compression\//, 'DecompressionStream'],
  [/^dom\/abort\/abort-signal-any/, 'AbortSignal.any'],
  [/^html\/webappapis\/structured-clone\//, 'structuredClone'],
  [/^html\/webappapis\/scripting\/reporterror/, 'reportError'],
  [/^html\/webappapis\/system-state/, 'navigator'],
  [/^webmessaging\/broadcastchannel/, 'BroadcastChannel'],
  [/^webmessaging\/MessageEvent/, 'MessageEvent'],
  [/^(webmessaging|html\/infrastructure)\//, 'MessageChannel'],
  [/^user-timing\//, 'performance.mark'],
  [/^performance-timeline\//, 'PerformanceObserver'],
  [/^urlpattern\//, 'URLPattern'],
  [/^websockets\//, 'WebSocket'],
]

export const subjectOf = (path: string): string | undefined => subjects.find(([pattern]) => pattern.test(path))?.[1]
