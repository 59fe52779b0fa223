/** Frames of a WebSocket as bytes (RFC 6455 section 5.2), and the codes of its end (section 7.4). */
import type { HostFunctions } from '@xen-ts/runtime/machine'

export const CONTINUATION = 0
export const TEXT = 1
export const BINARY = 2
export const CLOSE = 8
export const PING = 9
export const PONG = 10

/** Longest payload of a control frame (section 5.5), and longest reason behind a code. */
export const MAX_CONTROL = 125
export const MAX_REASON = MAX_CONTROL - 2

const NORMAL = 1000
export const GOING_AWAY = 1001
export const PROTOCOL_ERROR = 1002
/** Never sent: no code came, and the connection broke. */
export const NO_STATUS = 1005
export const ABNORMAL = 1006
export const NOT_UTF8 = 1007
export const TOO_LARGE = 1009
export const INTERNAL_ERROR = 1011
/** Registered with IANA: another time there may be room. */
export const TRY_AGAIN = 1013

/** Whether a code may be sent: those of the protocol that are no placeholders, and the two ranges of libraries and programs. */
export const isSendable = (code: number): boolean =>
  Number.isInteger(code) &&
  ((code >= NORMAL && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006) || (code >= 3000 && code <= 4999))

/** A whole message or control frame. @param mask four bytes, of a client; a server masks nothing (section 5.1) */
export function frame(abi: Pick<HostFunctions, 'copy'>, opcode: number, payload: Uint8Array, mask?: Uint8Array): Uint8Array<ArrayBuffer> {
  const { length } = payload
  const head = length < 126 ? 2 : length < 65_536 ? 4 : 10
  const bytes = mask === undefined ? new Uint8Array(head + length) : roomToMask(head + 4, length)
  bytes[0] = 0x80 | opcode
  if (head === 2) {
    bytes[1] = length
  } else {
    bytes[1] = head === 4 ? 126 : 127
    for (let at = head - 1, rest = length; rest > 0; at--, rest = Math.floor(rest / 256)) bytes[at] = rest % 256
  }
  abi.copy(bytes, bytes.length - length, payload, 0, length)
  if (mask !== undefined) applyMask(bytes, head, mask)
  return bytes
}

/** The payload begins where a word does, and its last word is whole: for the loop that masks it. */
function roomToMask(head: number, length: number): Uint8Array<ArrayBuffer> {
  const skipped = -head & 3
  return new Uint8Array(new ArrayBuffer((skipped + head + length + 3) & ~3), skipped, head + length)
}

/** Section 5.3. */
function applyMask(bytes: Uint8Array<ArrayBuffer>, at: number, mask: Uint8Array): void {
  bytes[1] |= 0x80
  bytes.set(mask, at)
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + at + 4)
  const word = mask[0] | (mask[1] << 8) | (mask[2] << 16) | (mask[3] << 24)
  for (let i = 0; i < words.length; i++) words[i] ^= word
}

export function closePayload(code: number, reason: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(2 + reason.length)
  bytes[0] = code >> 8
  bytes[1] = code
  bytes.set(reason, 2)
  return bytes
}
