/** Field lines of heads and trailers (RFC 9112 section 5), strictly: what two programs could read differently is refused. */

/** RFC 9110 section 5.6.2. */
export const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** What may stand nowhere in a head or a trailer: all but visible ASCII, space, tab, line ends, and octets above 127. */
export const NOT_TEXT = /[^\t\r\n\x20-\x7e\x80-\xff]/

/**
 * Where the colon behind the name is, or -1 when this is no field line. A line that begins with white space is a folded one (obs-fold),
 * white space before the colon is another trap: neither is a token.
 */
export function fieldColon(line: string): number {
  const colon = line.indexOf(':')
  return colon > 0 && TOKEN.test(line.slice(0, colon)) ? colon : -1
}

/** `line` from `from` on without spaces and tabs at either end. */
export function trimmed(line: string, from: number): string {
  let end = line.length
  while (from < end && (line[from] === ' ' || line[from] === '\t')) from++
  while (end > from && (line[end - 1] === ' ' || line[end - 1] === '\t')) end--
  return line.slice(from, end)
}
