/** A client that says what it likes, frame by frame, to a WebSocket on a server without a network. */
import { bareServer, type Client } from '../server/testing.ts'
import type { ServerWebSocket } from './socket.ts'
import { upgradeWebSocket, type WebSocketOptions } from './upgrade.ts'

/** The example of RFC 6455 section 1.3, with its answer. */
export const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
export const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='
export const handshake = (more = '', version = '13', key = KEY) =>
  `GET /ws?x HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: ${version}\r\n${more}\r\n`

export interface FrameParts {
  opcode: number
  /** One character a byte. */
  payload?: string
  fin?: boolean
  rsv?: number
  /** Four bytes; undefined: not masked. */
  mask?: string
  /** What is written for the length, instead of what is right. */
  length?: string
}

/** A frame as a client sends it. */
export function clientFrame({ opcode, payload = '', fin = true, rsv = 0, mask = 'key!', length }: FrameParts): string {
  const byte = String.fromCharCode
  const size = payload.length
  const sizes =
    size < 126
      ? byte(size)
      : size < 65_536
        ? `~${byte(size >> 8, size & 255)}`
        : `\x7f\0\0\0\0${byte(size >>> 24, (size >> 16) & 255, (size >> 8) & 255, size & 255)}`
  const said = length ?? sizes
  const first = (fin ? 0x80 : 0) | (rsv << 4) | opcode
  const masked =
    mask === '' ? payload : Array.from(payload, (character, i) => byte(character.charCodeAt(0) ^ mask.charCodeAt(i & 3))).join('')
  return byte(first) + byte(said.charCodeAt(0) | (mask === '' ? 0 : 0x80)) + said.slice(1) + mask + masked
}

export const text = (payload: string): string => clientFrame({ opcode: 1, payload })
export const code = (value: number, reason = ''): string => String.fromCharCode(value >> 8, value & 255) + reason
export const closing = (value: number, reason = ''): string => clientFrame({ opcode: 8, payload: code(value, reason) })

/** Takes what the server sent apart: `1:hello`, `8:1000 bye`. */
export function serverFrames(bytes: string): string[] {
  const frames: string[] = []
  for (let at = 0; at < bytes.length; ) {
    const opcode = bytes.charCodeAt(at)
    let size = bytes.charCodeAt(at + 1)
    at += 2
    if (size >= 126) {
      const count = size === 126 ? 2 : 8
      size = 0
      for (let i = 0; i < count; i++) size = size * 256 + bytes.charCodeAt(at + i)
      at += count
    }
    const payload = bytes.slice(at, at + size)
    at += size
    const said = opcode === 0x88 && size >= 2 ? `${(payload.charCodeAt(0) << 8) | payload.charCodeAt(1)} ${payload.slice(2)}` : payload
    frames.push(`${opcode & 0x7f}${opcode < 0x80 ? '+' : ''}:${said}`)
  }
  return frames
}

/** An open WebSocket that echoes, and what its program is told. */
export function echoing(options: WebSocketOptions = {}, onOpen?: (socket: ServerWebSocket) => void) {
  const events: string[] = []
  let socket!: ServerWebSocket
  const server = bareServer(request => {
    const upgraded = upgradeWebSocket(request, options)
    socket = upgraded.socket
    socket.onopen = () => {
      events.push('open')
      onOpen?.(socket)
    }
    socket.onmessage = ({ data }) => {
      events.push(typeof data === 'string' ? data : `bytes ${new Uint8Array(data).join()}`)
      socket.send(data)
    }
    socket.onerror = event => void events.push(`error ${event.message}`)
    socket.onclose = event => void events.push(`close ${event.code} ${event.reason}${event.wasClean ? '' : ' unclean'}`)
    return upgraded.response
  })
  const client: Client = server.connect()
  client.send(handshake())
  const start = client.received.length
  return {
    server,
    client,
    events,
    get socket() {
      return socket
    },
    get frames() {
      return serverFrames(client.received.slice(start))
    },
  }
}
