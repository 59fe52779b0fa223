/**
 * The messages of QubesDB on a vchan (qubesdb.h of qubes-core-qubesdb): a header of 72 bytes, then data. Integers are
 * little-endian.
 *
 *     0  u8        type
 *     1  char[64]  path, ends with NUL
 *    65  3 bytes   padding of the C structure: a message without it crashes the daemon (qubes-issues 1470)
 *    68  u32       length of the data
 */
import { ProtocolError } from '../supervise.ts'
import { readU32, type Text, writeU32 } from '../text.ts'

export const PORT = 111
export const HEADER_BYTES = 72
/** Data must be shorter than this; 3072 itself is refused (QDB_MAX_DATA). */
export const DATA_LIMIT = 3072
/** Bytes of a path with its NUL (QDB_MAX_PATH). */
export const PATH_BYTES = 64

export const WRITE = 1
export const MULTIREAD = 2
export const RM = 4
export const RESP_OK = 7
export const RESP_ERROR_NOENT = 8
export const RESP_ERROR = 9
export const RESP_MULTIREAD = 11

const PATH = /^\/[a-zA-Z0-9_/.:@-]*$/

export interface Header {
  readonly type: number
  /** Checked: empty, or of the legal characters. */
  readonly path: string
  /** Bytes of data that follow, below DATA_LIMIT. */
  readonly length: number
}

/** What is wrong with a path or value of this qube's own making, or undefined. The daemon exits on such a message. */
export function complaint(path: string, value: Uint8Array): string | undefined {
  if (!PATH.test(path)) return 'a path begins with / and has only letters, digits and _ / . : @ -'
  if (path.length >= PATH_BYTES) return `a path has at most ${PATH_BYTES - 1} characters, this one has ${path.length}`
  if (value.length >= DATA_LIMIT) {
    return `a value has at most ${DATA_LIMIT - 1} bytes, this one has ${value.length}: use several keys`
  }
  if (value.includes(0)) return 'a value has no NUL byte'
  return undefined
}

/** One message. Path and value have passed `complaint`, or the path is empty. */
export function encode(text: Text, type: number, path: string, value?: Uint8Array): Uint8Array {
  const length = value === undefined ? 0 : value.length
  const bytes = new Uint8Array(HEADER_BYTES + length)
  bytes[0] = type
  text.encodeInto(path, bytes, 1)
  writeU32(bytes, 68, length)
  if (value !== undefined) bytes.set(value, HEADER_BYTES)
  return bytes
}

/**
 * Checks what dom0 sent.
 * @throws ProtocolError when the type is not one for a vchan, or path or length are not legal for it
 */
export function decodeHeader(text: Text, bytes: Uint8Array): Header {
  const type = bytes[0]
  // Only the bytes before the first NUL count: the daemon reuses its buffer, the rest is what an earlier path left there.
  const path = text.decodeField(bytes, 1, PATH_BYTES)
  const length = readU32(bytes, 68)
  if (path === undefined) throw new ProtocolError(`QubesDB message of type ${type} has a path without an end`)
  if (length >= DATA_LIMIT) {
    throw new ProtocolError(`QubesDB message of type ${type} announces ${length} bytes, the most is ${DATA_LIMIT - 1}`)
  }
  if (!isLegal(type, path, length)) {
    throw new ProtocolError(`QubesDB sent type ${type} with path '${printable(path)}' and ${length} bytes`)
  }
  return { type, path, length }
}

function isLegal(type: number, path: string, length: number): boolean {
  switch (type) {
    case WRITE:
      return PATH.test(path) && !path.endsWith('/')
    case RESP_MULTIREAD:
      return path === '' ? length === 0 : PATH.test(path) && !path.endsWith('/')
    case RM:
    case RESP_OK:
    case RESP_ERROR:
    case RESP_ERROR_NOENT:
      return PATH.test(path) && length === 0
    default:
      return false
  }
}

/** For a log: nothing that could move a terminal's cursor. */
function printable(path: string): string {
  return path.replace(/[^ -~]/g, '?')
}
