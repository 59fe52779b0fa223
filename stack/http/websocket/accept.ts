/** Sec-WebSocket-Accept: how a server shows that it has understood (RFC 6455 section 4.2.2). */
import { sha1 } from './sha1.ts'

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** @param key of the client: sixteen bytes in base64 */
export const acceptOf = (key: string): string => btoa(String.fromCharCode(...sha1(new TextEncoder().encode(key + GUID))))
