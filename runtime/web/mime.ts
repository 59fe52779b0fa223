/** MIME types: https://mimesniff.spec.whatwg.org/#parsing-a-mime-type */

export interface MimeType {
  /** type/subtype, in lower case. */
  readonly essence: string
  /** By lower-case name, in the order in which they came. */
  readonly parameters: Map<string, string>
}

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** https://mimesniff.spec.whatwg.org/#http-quoted-string-token-code-point */
const notValue = /[^\t\x20-\x7e\x80-\xff]/

/** undefined for what is no MIME type. */
export function parseMimeType(input: string): MimeType | undefined {
  const text = input.replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, '')
  const slash = text.indexOf('/')
  const end = endOf(text, ';', slash + 1)
  const type = text.slice(0, Math.max(slash, 0))
  const subtype = text.slice(slash + 1, end).replace(/[\t\n\r ]+$/, '')
  if (!token.test(type) || !token.test(subtype)) return undefined
  return { essence: `${type}/${subtype}`.toLowerCase(), parameters: parametersOf(text, end) }
}

/** @param at of the semicolon before the first */
function parametersOf(text: string, at: number): Map<string, string> {
  const parameters = new Map<string, string>()
  while (at < text.length) {
    at++
    while ('\t\n\r '.includes(text[at] ?? '-')) at++
    const end = Math.min(endOf(text, ';', at), endOf(text, '=', at))
    const name = text.slice(at, end).toLowerCase()
    at = end
    if (text[at] !== '=') continue
    at++
    let value: string
    if (text[at] === '"') {
      const quoted = quotedString(text, at)
      value = quoted.value
      at = endOf(text, ';', quoted.end)
    } else {
      const stop = endOf(text, ';', at)
      value = text.slice(at, stop).replace(/[\t\n\r ]+$/, '')
      at = stop
      if (value === '') continue
    }
    if (token.test(name) && !notValue.test(value) && !parameters.has(name)) parameters.set(name, value)
  }
  return parameters
}

const endOf = (text: string, mark: string, from: number): number => {
  const at = text.indexOf(mark, from)
  return at < 0 ? text.length : at
}

/** From the quote at `at`: what it says, and where it ends. https://fetch.spec.whatwg.org/#collect-an-http-quoted-string */
function quotedString(text: string, at: number): { value: string; end: number } {
  let value = ''
  for (at++; at < text.length; at++) {
    const character = text[at]
    if (character === '"') return { value, end: at + 1 }
    // A backslash at the very end stands for itself.
    if (character === '\\' && at + 1 < text.length) at++
    value += text[at]
  }
  return { value, end: at }
}

export function serializeMimeType({ essence, parameters }: MimeType): string {
  let text = essence
  for (const [name, value] of parameters)
    text += `;${name}=${token.test(value) ? value : `"${value.replace(/["\\]/g, character => `\\${character}`)}"`}`
  return text
}

/** Of a Content-Type header as Headers gives it: https://fetch.spec.whatwg.org/#concept-header-extract-mime-type */
export function extractMimeType(header: string | null): MimeType | undefined {
  let found: MimeType | undefined
  let charset: string | undefined
  for (const value of header === null ? [] : valuesOf(header)) {
    const type = parseMimeType(value)
    if (type === undefined || type.essence === '*/*') continue
    const own = type.parameters.get('charset')
    if (type.essence !== found?.essence) charset = own
    else if (own === undefined && charset !== undefined) type.parameters.set('charset', charset)
    found = type
  }
  return found
}

/** Values between commas that are in no quotes: https://fetch.spec.whatwg.org/#header-value-get-decode-and-split */
function valuesOf(header: string): string[] {
  const values: string[] = []
  let start = 0
  for (let at = 0; at <= header.length; at++) {
    if (header[at] === '"') at = quotedString(header, at).end - 1
    else if (at === header.length || header[at] === ',') {
      values.push(header.slice(start, at))
      start = at + 1
    }
  }
  return values
}
