/** Ranges of a file (RFC 9110 section 14). What is no range, or asks for too much, is ignored: the answer is the whole file then. */
export interface Range {
  /** First byte, and the one behind the last. */
  readonly start: number
  readonly end: number
}

/** More in one request are ignored: nobody needs them but who wants to keep a server busy (section 14.2). */
const MAX_RANGES = 16
/** Longer fields are not looked at. */
const LONGEST = 500
/** What a part of a multipart answer has around it, at least. */
const PART_OVERHEAD = 80

/**
 * The ranges that a Range field asks for, sorted, and those that touch each other joined. An empty list when none can be satisfied
 * (416), undefined when the field is to be ignored.
 * @param size of the file in bytes
 */
export function parseRanges(field: string, size: number): Range[] | undefined {
  const list = /^bytes=([^]*)$/i.exec(field)?.[1]
  if (list === undefined || list.length > LONGEST) return undefined
  const specs = list.split(',')
  if (specs.length > MAX_RANGES) return undefined
  const ranges: Range[] = []
  for (const spec of specs) {
    const match = /^[ \t]*(?:(\d+)-(\d*)|-(\d+))?[ \t]*$/.exec(spec)
    if (match === null) return undefined
    const [, first, last, suffix] = match
    if (first === undefined && suffix === undefined) continue // an empty element of a list (section 5.6.1)
    const start = first === undefined ? Math.max(size - +suffix, 0) : +first
    const end = last === undefined || last === '' ? size : +last + 1
    if (end <= start && last) return undefined // the last before the first makes it no range, and the field none
    if (start >= size) {
      if (size === 0 && +suffix > 0) return undefined // satisfiable, says section 14.1.2, but no Content-Range can say it
      continue
    }
    ranges.push({ start, end: Math.min(end, size) })
  }
  if (!/\d/.test(list)) return undefined
  const joined = join(ranges)
  // As many bytes in pieces as in one, or more: then in one.
  const bytes = joined.reduce((sum, { start, end }) => sum + end - start + PART_OVERHEAD, 0)
  return joined.length > 1 && bytes >= size ? undefined : joined
}

function join(ranges: Range[]): Range[] {
  const joined: Range[] = []
  for (const range of ranges.sort((a, b) => a.start - b.start)) {
    const before = joined.at(-1)
    if (before === undefined || range.start > before.end) joined.push(range)
    else joined[joined.length - 1] = { start: before.start, end: Math.max(before.end, range.end) }
  }
  return joined
}

/** `bytes 0-9/100` */
export const contentRange = ({ start, end }: Range, size: number): string => `bytes ${start}-${end - 1}/${size}`

/** The body of a multipart/byteranges answer (section 14.6). */
export function multipart(ranges: readonly Range[], bytes: Uint8Array, type: string, boundary: string): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder()
  const heads = ranges.map((range, i) =>
    encoder.encode(
      `${i === 0 ? '' : '\r\n'}--${boundary}\r\ncontent-type: ${type}\r\ncontent-range: ${contentRange(range, bytes.length)}\r\n\r\n`,
    ),
  )
  const tail = encoder.encode(`\r\n--${boundary}--\r\n`)
  const length = ranges.reduce((sum, { start, end }, i) => sum + heads[i].length + end - start, tail.length)
  const body = new Uint8Array(length)
  let at = 0
  ranges.forEach(({ start, end }, i) => {
    body.set(heads[i], at)
    body.set(bytes.subarray(start, end), at + heads[i].length)
    at += heads[i].length + end - start
  })
  body.set(tail, at)
  return body
}
