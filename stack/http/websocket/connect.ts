/** The client's half of the opening handshake (RFC 6455 section 4.1), strictly. */
import type { HostFunctions, Timer, Timers } from '@xen-ts/runtime/machine'
import type { ByteStream } from '../client/connection.ts'
import { parseResponseHead, type ResponseHead } from '../client/head.ts'
import type { Connector } from '../client/pool.ts'
import type { Place } from '../client/request.ts'
import { MAX_HEAD } from '../message/head.ts'
import { encodeText } from '../server/answer.ts'
import { acceptOf } from './accept.ts'

/** What a client stands on. */
export interface ClientHost {
  readonly abi: HostFunctions
  readonly timers: Timers
  connect(options: Parameters<Connector>[0]): Promise<ByteStream & { keepAlive?(milliseconds: number | undefined): void }>
}

export interface Opened {
  readonly stream: ByteStream
  /** What came behind the handshake. */
  readonly rest: Uint8Array
  /** The subprotocol that the server chose; empty when none. */
  readonly protocol: string
}

/** Milliseconds for the connection, and for the server's answer. */
const CONNECT_TIMEOUT = 10_000
const ANSWER_TIMEOUT = 30_000
/** Milliseconds of silence after which TCP asks whether the server is still there. */
const KEEP_ALIVE = 60_000

/** @throws (rejects) an Error that says why there is no connection; the reason of `signal`, whatever it waits for */
export async function openWebSocket(host: ClientHost, place: Place, protocols: readonly string[], signal: AbortSignal): Promise<Opened> {
  const never = Promise.withResolvers<never>()
  never.promise.catch(() => {})
  const abort = (): void => never.reject(signal.reason)
  signal.addEventListener('abort', abort)
  if (signal.aborted) abort()
  const connecting = host.connect({ host: place.host, port: place.port, timeout: CONNECT_TIMEOUT, signal })
  let timer: Timer | undefined
  try {
    const stream = await Promise.race([connecting, never.promise])
    const late = new Error(`the server does not answer within ${ANSWER_TIMEOUT / 1000} s`)
    timer = host.timers.set(ANSWER_TIMEOUT, () => never.reject(late))
    const opened = await Promise.race([shakeHands(host, stream, place, protocols), never.promise])
    stream.keepAlive?.(KEEP_ALIVE)
    return opened
  } catch (error) {
    connecting.then(
      stream => stream.abort(),
      () => {},
    )
    throw error
  } finally {
    timer?.cancel()
    signal.removeEventListener('abort', abort)
  }
}

async function shakeHands({ abi }: ClientHost, stream: ByteStream, place: Place, protocols: readonly string[]): Promise<Opened> {
  const nonce = new Uint8Array(16)
  abi.random(nonce)
  const key = btoa(String.fromCharCode(...nonce))
  const lines = [
    `GET ${place.target} HTTP/1.1`,
    `host: ${place.authority}`,
    'upgrade: websocket',
    'connection: Upgrade',
    `sec-websocket-key: ${key}`,
    'sec-websocket-version: 13',
    ...(protocols.length > 0 ? [`sec-websocket-protocol: ${protocols.join(', ')}`] : []),
    'user-agent: xen-ts',
  ]
  await stream.write(encodeText(abi, `${lines.join('\r\n')}\r\n\r\n`, undefined))
  const { text, rest } = await readHead(abi, stream)
  const head = parseResponseHead(text, 'GET')
  if (typeof head === 'string') throw new Error(`the answer is refused: ${head}`)
  return { stream, rest, protocol: protocolOf(head, acceptOf(key), protocols) }
}

/** What comes before the first empty line, a character a byte, and the bytes behind it. */
async function readHead(abi: HostFunctions, stream: ByteStream): Promise<{ text: string; rest: Uint8Array }> {
  let bytes: Uint8Array = new Uint8Array(0)
  for (;;) {
    const more = await stream.read()
    if (more === undefined) throw new Error('the server closed the connection without an answer')
    const all = new Uint8Array(bytes.length + more.length)
    abi.copy(all, 0, bytes, 0, bytes.length)
    abi.copy(all, bytes.length, more, 0, more.length)
    bytes = all
    const text = abi.latin1Decode(bytes, 0, Math.min(bytes.length, MAX_HEAD))
    const end = text.indexOf('\r\n\r\n')
    if (end >= 0) return { text: text.slice(0, end), rest: bytes.subarray(end + 4) }
    if (bytes.length >= MAX_HEAD || text.length < bytes.length || !(text.startsWith('HTTP/1.') || 'HTTP/1.'.startsWith(text)))
      throw new Error('the answer is no head of HTTP/1.1')
  }
}

/** Section 4.1, what the client must check. */
function protocolOf(head: ResponseHead, accept: string, protocols: readonly string[]): string {
  const fields = (name: string): string[] => head.fields.filter(([field]) => field === name).map(([, value]) => value)
  const lists = (name: string, token: string): boolean =>
    fields(name).some(value => value.split(',').some(part => part.trim().toLowerCase() === token))
  if (head.status !== 101) throw new Error(`the server answers ${head.status} ${head.phrase}`.trimEnd())
  if (!lists('upgrade', 'websocket')) throw new Error('the server changes to another protocol')
  if (!lists('connection', 'upgrade')) throw new Error('the answer has no field Connection: Upgrade')
  const [answer, ...others] = fields('sec-websocket-accept')
  if (answer !== accept || others.length > 0) throw new Error('Sec-WebSocket-Accept is not the answer to our key')
  if (fields('sec-websocket-extensions').length > 0) throw new Error('the server uses an extension, and none was offered')
  const [protocol = '', ...more] = fields('sec-websocket-protocol')
  if (more.length > 0 || (protocol !== '' && !protocols.includes(protocol)))
    throw new Error('the server chose a subprotocol that was not offered')
  return protocol
}
