/** Log lines as syslog messages (RFC 5424), one a datagram (RFC 5426). */
import { type Level, type LogLine, type ProgramLog, type Stack, UsageError } from 'xen-ts'

const PORT = 514
/** Facility local0; severities of section 6.2.1. */
const FACILITY = 16
const severities: Readonly<Record<Level, number>> = { error: 3, warn: 4, app: 5, info: 6, debug: 7 }
/** What a receiver must take (RFC 5426 section 3.2) where datagrams are those of IPv6, and what every path takes unfragmented. */
const LONGEST = 1180

export interface Endpoint {
  readonly address: string
  readonly port: number
}

/** `10.0.0.1`, `10.0.0.1:1514`. @throws UsageError */
export function endpoint(text: string): Endpoint {
  const [, address, port = String(PORT)] = /^(\d+\.\d+\.\d+\.\d+)(?::(\d{1,5}))?$/.exec(text) ?? []
  if (address === undefined || Number(port) < 1 || Number(port) > 65535)
    throw new UsageError(`--syslog: '${text}' is not an address; write 10.0.0.1, or with a port 10.0.0.1:514`)
  return { address, port: Number(port) }
}

/** Names in a header are printable ASCII without spaces, of a limited length (section 6). */
const named = (text: string, longest: number): string => text.replace(/[^\x21-\x7e]/g, '_').slice(0, longest) || '-'

/** The line as a message: the source of the line is its MSGID. @param host address of this machine */
export function syslogMessage(
  { time, level, source, message }: LogLine,
  { host = '-', name }: { host?: string; name: string },
): Uint8Array {
  const priority = FACILITY * 8 + severities[level]
  const header = `<${priority}>1 ${new Date(time).toISOString()} ${named(host, 255)} ${named(name, 48)} - ${named(source, 32)} -`
  // The byte order mark says that the text is UTF-8 (section 6.4).
  const bytes = new TextEncoder().encode(`${header} \ufeff${message}`)
  let end = Math.min(bytes.length, LONGEST)
  // Not in the middle of a character.
  while (end < bytes.length && (bytes[end] & 0xc0) === 0x80) end--
  return bytes.slice(0, end)
}

export interface Forwarding {
  readonly log: ProgramLog
  readonly net: Stack
  readonly to: Endpoint
  /** Of the program. */
  readonly name: string
  readonly signal: AbortSignal
}

/** Sends what was logged, and then what is. What cannot be sent is lost, as datagrams are; it is not logged, which would be sent again. */
export function forward({ log, net, to, name, signal }: Forwarding): void {
  const socket = net.udp.bind({ signal })
  const send = (lines: readonly LogLine[]): void => {
    for (const line of lines) void socket.send(syslogMessage(line, { host: net.address, name }), to).catch(() => {})
  }
  send(log.recent())
  const end = log.tap(send)
  signal.addEventListener('abort', end, { once: true })
}
