/**
 * The messages of the GUI protocol (qubes-gui-protocol.h of qubes-gui-common). After the handshake each is a header of 12 bytes, u32
 * type, u32 window, u32 length, and a body of that length. Integers are little-endian.
 */
import { ProtocolError } from '../supervise.ts'
import { readU32, writeU32 } from '../text.ts'

export const PORT = 6000
/** Bytes each way, as the Linux agent has. */
export const RING_BYTES = 4096

export const MAJOR = 1
/** What R4.3 speaks. With older daemons the smaller number counts: R4.2 has 7, R4.1 has 5. */
export const MINOR = 8
/** From this minor version on, the daemon tells what was negotiated. */
const ANSWERS = 4

export const HEADER_BYTES = 12
export const XCONF_BYTES = 16
export const CLIPBOARD_REQ = 139
export const CLIPBOARD_DATA = 140

/** The longest message there is: a clipboard of protocol 1.8, and room for what may come. */
const LONGEST = 1 << 20

export interface Version {
  readonly major: number
  readonly minor: number
}

export function encodeVersion(): Uint8Array {
  const bytes = new Uint8Array(4)
  writeU32(bytes, 0, (MAJOR << 16) | MINOR)
  return bytes
}

/** @throws ProtocolError when the daemon answers with what cannot have been negotiated */
export function decodeVersion(bytes: Uint8Array): Version {
  const word = readU32(bytes, 0)
  const version = { major: word >>> 16, minor: word & 0xffff }
  if (version.major !== MAJOR || version.minor > MINOR || version.minor < ANSWERS) {
    throw new ProtocolError(
      `the GUI daemon answered with protocol ${version.major}.${version.minor}, expected ${MAJOR}.${ANSWERS} to ${MAJOR}.${MINOR}`,
    )
  }
  return version
}

/** The screen of the GUI domain. */
export interface Screen {
  readonly width: number
  readonly height: number
  /** Bits a pixel has for colour, 24 as a rule. */
  readonly depth: number
}

export function decodeXconf(bytes: Uint8Array): Screen {
  const screen = { width: readU32(bytes, 0), height: readU32(bytes, 4), depth: readU32(bytes, 8) }
  // The daemon's own limits for an image; 0 is what a daemon without a screen says.
  if (screen.width > 16384 || screen.height > 16384 || screen.depth > 32) {
    throw new ProtocolError(`the GUI daemon has a screen of ${screen.width}x${screen.height}, ${screen.depth} bits`)
  }
  return screen
}

export interface Header {
  readonly type: number
  readonly window: number
  readonly length: number
}

/** @throws ProtocolError when the message is longer than any */
export function decodeHeader(bytes: Uint8Array): Header {
  const header = { type: readU32(bytes, 0), window: readU32(bytes, 4), length: readU32(bytes, 8) }
  if (header.length > LONGEST) {
    throw new ProtocolError(`GUI message ${header.type} announces ${header.length} bytes, the most is ${LONGEST}`)
  }
  return header
}
