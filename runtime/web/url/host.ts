/**
 * Hosts of URLs: https://url.spec.whatwg.org/#host-parsing . One deviation: names with letters outside of ASCII are mapped by Unicode
 * normalization (NFKC) and lower case instead of the tables of UTS #46, which are ten times the size of all of this; the two differ for
 * rare characters only. And such a name is refused when it is longer than any name may be.
 */
import { encodeSets, percentDecode, percentEncode } from './percent.ts'
import { punycode, unpunycode } from './punycode.ts'

const forbiddenHost = /[\0\t\n\r #/:<>?@[\\\]^|]/
const forbiddenDomain = /[\0- #%/:<>?@[\\\]^|\x7f]/
/** RFC 1035 section 2.3.4. Punycode takes time that grows with the square: a request of 16 KiB could keep a server busy for seconds. */
const LONGEST_NAME = 255
const simpleDomain = /^[a-z0-9._-]+$/

/** The serialized host, or undefined when it is none. */
export function parseHost(text: string, special: boolean): string | undefined {
  if (text.startsWith('[')) {
    if (!text.endsWith(']')) return undefined
    const pieces = parseIpv6(text.slice(1, -1))
    return pieces && `[${formatIpv6(pieces)}]`
  }
  if (!special) return forbiddenHost.test(text) ? undefined : percentEncode(text, encodeSets.c0)
  const domain = toAscii(simpleDomain.test(text) ? text : percentDecode(text))
  if (domain === undefined || domain === '' || forbiddenDomain.test(domain)) return undefined
  return endsInNumber(domain) ? parseIpv4(domain) : domain
}

function toAscii(text: string): string | undefined {
  const plain = simpleDomain.test(text) || /^[\0-\x7f]*$/.test(text)
  const mapped = plain ? text.toLowerCase() : mapUnicode(text)
  if (plain && !mapped.includes('xn--')) return mapped
  if (mapped.length > LONGEST_NAME) return undefined
  const labels = mapped.split('.').map(label => {
    if (label.startsWith('xn--')) return isPunycode(label) ? label : undefined
    if (/^[\0-\x7f]*$/.test(label)) return label
    return invalid.test(label) ? undefined : `xn--${punycode(label)}`
  })
  return labels.includes(undefined) ? undefined : labels.join('.')
}

/** Letters that no name may have: not assigned, private, half of a pair, white space; a mark at the beginning. */
const invalid = /[\ufffd\p{Cn}\p{Co}\p{Cs}\p{Zs}]|^\p{M}/u

/** What UTS #46 leaves out. */
const ignored = /\xad|\u200b|\u2060|\u2064|\ufeff|\u034f|[\u180b-\u180d]|\u180f|[\ufe00-\ufe0f]|[\u{e0100}-\u{e01ef}]/gu

/** After UTS #46: soft hyphens, zero-width characters and variation selectors vanish, other full stops count as dots. */
function mapUnicode(text: string): string {
  const visible = text.replace(ignored, '')
  return visible.normalize('NFKC').toLowerCase().normalize('NFKC').replaceAll('\u3002', '.')
}

/** Whether the label is what `punycode` would make of a name outside of ASCII, in its normal form. */
function isPunycode(label: string): boolean {
  const name = unpunycode(label.slice(4))
  if (name === undefined || !/[^\0-\x7f]/.test(name) || invalid.test(name)) return false
  return name === mapUnicode(name) && punycode(name) === label.slice(4)
}

/** https://url.spec.whatwg.org/#ends-in-a-number-checker */
function endsInNumber(domain: string): boolean {
  const parts = domain.split('.')
  if (parts.at(-1) === '') parts.pop()
  const last = parts.at(-1) ?? ''
  return /^\d+$/.test(last) || /^0x[\da-f]*$/i.test(last)
}

/** https://url.spec.whatwg.org/#concept-ipv4-parser : up to four numbers, decimal, 0x or octal; the last one fills what is left. */
function parseIpv4(domain: string): string | undefined {
  const parts = domain.split('.')
  if (parts.at(-1) === '' && parts.length > 1) parts.pop()
  if (parts.length > 4) return undefined
  const numbers = parts.map(parseIpv4Number)
  const last = numbers.pop() as number
  if (!(last < 256 ** (4 - numbers.length)) || numbers.some(number => !(number < 256))) return undefined
  const address = numbers.reduce((sum, number, i) => sum + number * 256 ** (3 - i), last)
  return [24, 16, 8, 0].map(shift => Math.floor(address / 2 ** shift) % 256).join('.')
}

function parseIpv4Number(text: string): number {
  if (/^0x[\da-f]*$/i.test(text)) return text.length === 2 ? 0 : Number(text)
  if (/^0[0-7]*$/.test(text)) return Number.parseInt(text, 8)
  return /^[1-9]\d*$/.test(text) ? Number(text) : NaN
}

/** https://url.spec.whatwg.org/#concept-ipv6-parser : the address as eight 16-bit numbers; undefined when it is none. */
export function parseIpv6(text: string): number[] | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const groups = halves.map((half, i) => (half === '' ? [] : parseGroups(half, i === halves.length - 1)))
  if (groups.some(group => group === undefined)) return undefined
  const [head, tail] = groups as number[][]
  if (tail === undefined) return head.length === 8 ? head : undefined
  const missing = 8 - head.length - tail.length
  return missing < 1 ? undefined : [...head, ...new Array(missing).fill(0), ...tail]
}

/** Groups between colons; `mayEndInIpv4`: the last may be dotted decimal, as two groups. */
function parseGroups(text: string, mayEndInIpv4: boolean): number[] | undefined {
  const parts = text.split(':')
  const dotted = mayEndInIpv4 && parts.at(-1)?.includes('.') ? (parts.pop() as string) : undefined
  if (parts.some(part => !/^[\da-f]{1,4}$/i.test(part))) return undefined
  const groups = parts.map(part => Number.parseInt(part, 16))
  if (dotted === undefined) return groups
  const bytes = dotted.split('.')
  if (bytes.length !== 4 || bytes.some(byte => !/^(0|[1-9]\d{0,2})$/.test(byte) || Number(byte) > 255)) return undefined
  return [...groups, (Number(bytes[0]) << 8) | Number(bytes[1]), (Number(bytes[2]) << 8) | Number(bytes[3])]
}

/**
 * https://url.spec.whatwg.org/#concept-ipv6-serializer : the first longest run of two or more zeroes is shortened. That is RFC 5952 section
 * 4 as well. `groups`: eight 16-bit numbers.
 */
export function formatIpv6(groups: readonly number[]): string {
  let start = -1
  let length = 1
  for (let i = 0; i < 8; i++) {
    let end = i
    while (end < 8 && groups[end] === 0) end++
    if (end - i > length) {
      start = i
      length = end - i
    }
    if (end > i) i = end
  }
  const hex = (part: readonly number[]) => part.map(group => group.toString(16)).join(':')
  return start < 0 ? hex(groups) : `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`
}
