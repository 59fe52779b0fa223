/** MIME types: https://mimesniff.spec.whatwg.org/#parsing-a-mime-type */

export interface MimeType {
  /** type/subtype, in lower case. */
  readonly essence: string
  /** By lower-case name, in the order in which they came. */
  readonly parameters: Map<string, string>
}

/** RFC 9110 section 5.6.2 */
export const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+"
const SPACE = '[\\t\\n\\r ]*'
const isToken = new RegExp(`^${TOKEN}$`)
const wholeType = new RegExp(`^${SPACE}(${TOKEN}/${TOKEN})${SPACE}(?:;|$)`)
/** A quoted string may lack its end, and what follows it up to the semicolon does not count. */
const parameter = new RegExp(`;${SPACE}([^;=]*)(?:=(?:"((?:[^"\\\\]|\\\\[^]?)*)"?[^;]*|([^;]*)))?`, 'g')
/** Values between commas that are in no quotes: https://fetch.spec.whatwg.org/#header-value-get-decode-and-split */
const headerValue = /(?:[^",]|"(?:[^"\\]|\\[^]?)*"?)+/g
/** https://mimesniff.spec.whatwg.org/#http-quoted-string-token-code-point */
const notValue = /[^\t\x20-\x7e\x80-\xff]/

/** undefined for what is no MIME type. */
export function parseMimeType(text: string): MimeType | undefined {
  const type = wholeType.exec(text)
  if (type === null) return undefined
  const parameters = new Map<string, string>()
  for (const [, key, quoted, plain] of text.matchAll(parameter)) {
    const name = key.toLowerCase()
    // A backslash at the very end stands for itself.
    const value = quoted?.replace(/\\([^])/g, '$1') ?? plain?.replace(/[\t\n\r ]+$/, '')
    if (value === undefined || (value === '' && quoted === undefined) || notValue.test(value)) continue
    if (isToken.test(name) && !parameters.has(name)) parameters.set(name, value)
  }
  return { essence: type[1].toLowerCase(), parameters }
}

export function serializeMimeType({ essence, parameters }: MimeType): string {
  let text = essence
  for (const [name, value] of parameters) text += `;${name}=${isToken.test(value) ? value : `"${value.replace(/["\\]/g, '\\$&')}"`}`
  return text
}

/** Of a Content-Type header as Headers gives it: https://fetch.spec.whatwg.org/#concept-header-extract-mime-type */
export function extractMimeType(header: string | null): MimeType | undefined {
  let found: MimeType | undefined
  let charset: string | undefined
  for (const [value] of header?.matchAll(headerValue) ?? []) {
    const type = parseMimeType(value)
    if (type === undefined || type.essence === '*/*') continue
    const own = type.parameters.get('charset')
    if (type.essence !== found?.essence) charset = own
    else if (own === undefined && charset !== undefined) type.parameters.set('charset', charset)
    found = type
  }
  return found
}
