/** The server's half of the opening handshake (RFC 6455 section 4.2), strictly. */
import { HandshakeError } from '../server/upgrade.ts'
import { acceptOf } from './accept.ts'

/** The only version there is. */
const VERSION = '13'
const VERSION_FIELD = { 'sec-websocket-version': VERSION }
/** Sixteen bytes in base64: no bits are left over in the last character but zeros. */
const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/

const lists = (field: string | null, token: string): boolean => (field ?? '').split(',').some(part => part.trim().toLowerCase() === token)

/** Whether the client asks for a WebSocket at all. */
export const asksForWebSocket = ({ headers }: Pick<Request, 'headers'>): boolean => lists(headers.get('upgrade'), 'websocket')

/** Protocols that the client offers, in the order of its preference. */
export const offeredProtocols = ({ headers }: Pick<Request, 'headers'>): string[] =>
  (headers.get('sec-websocket-protocol') ?? '')
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '')

/** The value of Sec-WebSocket-Accept. @throws HandshakeError */
export function acceptKey({ method, headers }: Pick<Request, 'method' | 'headers'>): string {
  if (method !== 'GET') throw new HandshakeError(405, `${method} cannot open a WebSocket, GET can`)
  if (!lists(headers.get('upgrade'), 'websocket'))
    throw new HandshakeError(426, 'the request has no field Upgrade: websocket', VERSION_FIELD)
  if (!lists(headers.get('connection'), 'upgrade')) throw new HandshakeError(400, 'the request has no field Connection: Upgrade')
  if (headers.get('sec-websocket-version') !== VERSION)
    throw new HandshakeError(426, `the version of WebSocket here is ${VERSION}`, VERSION_FIELD)
  const key = headers.get('sec-websocket-key')
  if (key === null || !KEY.test(key)) throw new HandshakeError(400, 'Sec-WebSocket-Key is not 16 bytes in base64')
  return acceptOf(key)
}
