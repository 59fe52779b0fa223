/**
 * What the agent tells the GUI daemon about windows: one function a message, each gives header and body (qubes-gui-protocol.h). The
 * daemon exits on a wrong length or number, and takes the qube's GUI with it, so everything is checked here, before it is sent.
 */
import { writeU32 } from '../text.ts'
import { HEADER_BYTES } from './wire.ts'

export const CREATE = 130
export const DESTROY = 131
export const MAP = 132
export const UNMAP = 133
export const CONFIGURE = 134
export const SHMIMAGE = 136
export const CLIPBOARD = 140
export const WMNAME = 141
export const WINDOW_HINTS = 144
export const WINDOW_FLAGS = 145
export const WMCLASS = 146
export const WINDOW_DUMP = 147
export const CURSOR = 148

/** Bits of WINDOW_FLAGS. */
export const FULLSCREEN = 1
export const ATTENTION = 2
export const MINIMIZE = 4

/** The daemon's limits for an image in pixels (MAX_WINDOW_WIDTH and MAX_WINDOW_HEIGHT). */
export const MAX_WIDTH = 16384
export const MAX_HEIGHT = 6144
/** Bytes of a clipboard: from protocol 1.8 on (MAX_CLIPBOARD_BUFFER_SIZE), and before (MAX_CLIPBOARD_SIZE). */
export const MAX_CLIPBOARD = 256_000
const MAX_OLD_CLIPBOARD = 65_000
const LARGE_CLIPBOARD = 8

const NAME_BYTES = 128
const CLASS_BYTES = 64
const BITS_A_PIXEL = 24
const GRANT_REFS = 0
/** X size hints (Xutil.h): PPosition, PMinSize, PMaxSize, PResizeInc, PBaseSize. */
const [PLACED, MIN, MAX, STEP, BASE] = [4, 16, 32, 64, 256]

/** Names of CSS, and the shapes of X11's cursor font (cursorfont.h) that come closest. */
export const CURSORS = {
  default: undefined,
  pointer: 60,
  text: 152,
  crosshair: 34,
  move: 52,
  wait: 150,
  help: 92,
  'not-allowed': 0,
  grab: 58,
  cell: 90,
  pencil: 86,
  'n-resize': 138,
  's-resize': 16,
  'e-resize': 96,
  'w-resize': 70,
  'ne-resize': 136,
  'nw-resize': 134,
  'se-resize': 14,
  'sw-resize': 12,
  'ns-resize': 116,
  'ew-resize': 108,
} as const
export type CursorName = keyof typeof CURSORS
/** CURSOR_DEFAULT and CURSOR_X11 of qubes-gui-protocol.h. */
const DEFAULT_CURSOR = 0
const FONT_CURSOR = 0x100

/** Pixels; x and y from the upper left corner, of the screen for a window, of the window for damage. */
export interface Rectangle {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** @throws RangeError when the daemon would not take an image of this size */
export function checkSize(what: string, width: number, height: number): void {
  const fits = (value: number, max: number): boolean => Number.isInteger(value) && value >= 1 && value <= max
  if (fits(width, MAX_WIDTH) && fits(height, MAX_HEIGHT)) return
  throw new RangeError(`${what}: ${width}x${height} pixels; the GUI daemon takes whole numbers from 1x1 to ${MAX_WIDTH}x${MAX_HEIGHT}`)
}

export function create(window: number, { x, y, width, height }: Rectangle): Uint8Array {
  checkSize(`window ${window}`, width, height)
  return words(CREATE, window, [x, y, width, height, 0, 0])
}

export const destroy = (window: number): Uint8Array => words(DESTROY, window, [])

/** Neither transient nor override-redirect: an ordinary window, with the frame the GUI domain gives it. */
export const map = (window: number): Uint8Array => words(MAP, window, [0, 0])

export const unmap = (window: number): Uint8Array => words(UNMAP, window, [])

/** Numbers that the daemon sent come back as they were, whatever they are. */
export const configure = (window: number, { x, y, width, height }: Rectangle): Uint8Array =>
  words(CONFIGURE, window, [x, y, width, height, 0])

/**
 * A damaged rectangle: the daemon copies it out of the image when it reads this. There is one for each frame of a window, so each window has
 * one message, which is written anew when the one before has been sent.
 */
export class ShmImage {
  readonly #bytes: Uint8Array
  readonly #words: Uint32Array

  constructor(window: number) {
    this.#bytes = words(SHMIMAGE, window, [0, 0, 0, 0])
    this.#words = new Uint32Array(this.#bytes.buffer)
  }

  /** Until the next call. */
  of(area: Rectangle): Uint8Array {
    const words = this.#words
    words[3] = area.x
    words[4] = area.y
    words[5] = area.width
    words[6] = area.height
    return this.#bytes
  }
}

/** @param text UTF-8, cut where it does not fit; the daemon replaces what is not ASCII unless the qube may use it */
export function wmName(window: number, text: Uint8Array): Uint8Array {
  let length = Math.min(text.length, NAME_BYTES - 1)
  // Not in the middle of a character: its further bytes are 10xxxxxx.
  if (length < text.length) while (length > 0 && (text[length] & 0xc0) === 0x80) length--
  const bytes = message(WMNAME, window, NAME_BYTES)
  bytes.set(text.subarray(0, length), HEADER_BYTES)
  return bytes
}

/** Must come before MAP. @throws RangeError when the name is longer than 63 bytes */
export function wmClass(window: number, name: Uint8Array): Uint8Array {
  if (name.length >= CLASS_BYTES)
    throw new RangeError(`class of window ${window}: ${name.length} bytes of UTF-8, the most is ${CLASS_BYTES - 1}`)
  const bytes = message(WMCLASS, window, 2 * CLASS_BYTES)
  bytes.set(name, HEADER_BYTES)
  bytes.set(name, HEADER_BYTES + CLASS_BYTES)
  return bytes
}

/** Pixels. */
export interface Size {
  readonly width: number
  readonly height: number
}

export interface Hints {
  readonly min?: Size
  readonly max?: Size
  readonly step?: Size
  readonly base?: Size
  /** The place in CREATE is meant. */
  readonly placed?: boolean
}

/** For the window manager. @throws RangeError for sizes the daemon would drop, or that contradict each other */
export function windowHints(window: number, { min, max, step, base, placed = false }: Hints): Uint8Array {
  for (const [name, size] of Object.entries({ min, max, step, base }))
    if (size !== undefined) checkSize(`sizes.${name} of window ${window}`, size.width, size.height)
  if (min !== undefined && max !== undefined && (min.width > max.width || min.height > max.height)) {
    throw new RangeError(
      `sizes of window ${window}: the least, ${min.width}x${min.height}, is above the largest, ${max.width}x${max.height}`,
    )
  }
  const flags = (placed ? PLACED : 0) | (min ? MIN : 0) | (max ? MAX : 0) | (step ? STEP : 0) | (base ? BASE : 0)
  return words(WINDOW_HINTS, window, [flags, ...[min, max, step, base].flatMap(size => [size?.width ?? 0, size?.height ?? 0])])
}

/** The shape of the mouse pointer over the window. */
export function cursor(window: number, name: CursorName): Uint8Array {
  const glyph = CURSORS[name]
  return words(CURSOR, window, [glyph === undefined ? DEFAULT_CURSOR : FONT_CURSOR + glyph])
}

/** Bits to be set and unset; the daemon suspects a qube that sends one in both. */
export function windowFlags(window: number, set: number, unset: number): Uint8Array {
  if ((set & unset) !== 0) throw new RangeError(`flags of window ${window}: ${set} are to be set and ${unset} unset`)
  return words(WINDOW_FLAGS, window, [set, unset])
}

/** The image: rows of `width` pixels without gaps, from the start of the first page. @throws RangeError when the pages do not hold it */
export function windowDump(window: number, width: number, height: number, refs: readonly number[]): Uint8Array {
  checkSize(`image of window ${window}`, width, height)
  if (refs.length !== Math.ceil((width * height * 4) / 4096)) {
    throw new RangeError(`image of window ${window}: ${refs.length} pages for ${width}x${height} pixels of 4 bytes`)
  }
  return words(WINDOW_DUMP, window, [GRANT_REFS, width, height, BITS_A_PIXEL, ...refs])
}

/** @throws RangeError for more than protocol 1.`minor` has */
export function clipboardData(window: number, text: Uint8Array, minor = LARGE_CLIPBOARD): Uint8Array {
  const most = minor >= LARGE_CLIPBOARD ? MAX_CLIPBOARD : MAX_OLD_CLIPBOARD
  if (text.length > most) throw new RangeError(`clipboard: ${text.length} bytes of UTF-8, the most is ${most} in GUI protocol 1.${minor}`)
  const bytes = message(CLIPBOARD, window, text.length)
  bytes.set(text, HEADER_BYTES)
  return bytes
}

function message(type: number, window: number, length: number): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + length)
  writeU32(bytes, 0, type)
  writeU32(bytes, 4, window)
  writeU32(bytes, 8, length)
  return bytes
}

function words(type: number, window: number, values: readonly number[]): Uint8Array {
  const message = new Uint32Array(HEADER_BYTES / 4 + values.length)
  message[0] = type
  message[1] = window
  message[2] = values.length * 4
  message.set(values, HEADER_BYTES / 4)
  return new Uint8Array(message.buffer)
}
