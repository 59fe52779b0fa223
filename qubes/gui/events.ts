/** What the GUI daemon tells the agent. Numbers are those of X11; lengths and kinds are checked, as nothing the peer sends is believed. */
import { ProtocolError } from '../supervise.ts'
import { readU32 } from '../text.ts'
import { CLIPBOARD, CONFIGURE, DESTROY, MAP, type Rectangle, WINDOW_FLAGS } from './messages.ts'
import { CLIPBOARD_REQ, type Header } from './wire.ts'

export const KEYPRESS = 124
export const BUTTON = 125
export const MOTION = 126
export const CROSSING = 127
export const FOCUS = 128
export const CLOSE = 137
export const KEYMAP_NOTIFY = 142
export const WINDOW_DUMP_ACK = 149

/** Bytes of each message's body. */
const LENGTHS: Readonly<Record<number, number>> = {
  [KEYPRESS]: 20,
  [BUTTON]: 20,
  [MOTION]: 16,
  [CROSSING]: 28,
  [FOCUS]: 12,
  [DESTROY]: 0,
  [MAP]: 8,
  [CONFIGURE]: 20,
  [CLOSE]: 0,
  [CLIPBOARD_REQ]: 0,
  [KEYMAP_NOTIFY]: 32,
  [WINDOW_FLAGS]: 8,
  [WINDOW_DUMP_ACK]: 0,
}
/** X11 has no windows of this size or larger. */
const X_LIMIT = 32768

export interface Position {
  /** Pixels from the window's upper left corner; outside of it while a button is held. */
  readonly x: number
  readonly y: number
  /** Modifiers and buttons that were down before: 1 shift, 2 lock, 4 control, 8 alt, 256 the first button, 512 the second ... */
  readonly state: number
}

export interface KeyEvent extends Position {
  readonly pressed: boolean
  /** The key's place on the keyboard: the evdev code plus 8. Which letter it is, is the keyboard layout's matter. */
  readonly keycode: number
}

export interface ButtonEvent extends Position {
  readonly pressed: boolean
  /** 1 left, 2 middle, 3 right; 4 and 5 are the wheel up and down, 6 and 7 left and right. */
  readonly button: number
}

export interface CrossingEvent extends Position {
  readonly inside: boolean
}

/** Whether the body of a message is to be read; others are skipped. @throws ProtocolError when its length is not the one of its type */
export function isKnown({ type, window, length }: Header): boolean {
  // The daemon pastes all that was copied, whatever version was negotiated: 256,000 bytes from a qube that speaks 1.8, and what dom0's
  // own clipboard holds. It exits when it cannot send it to the end. The limit is the header's.
  if (type === CLIPBOARD) return true
  const expected = LENGTHS[type]
  if (expected !== undefined && length !== expected) {
    throw new ProtocolError(`GUI message ${type} for window ${window} has ${length} bytes, expected ${expected}`)
  }
  return expected !== undefined
}

export function decodeKey(body: Uint8Array): KeyEvent {
  return { pressed: eitherOf(body, 'key event', 2, 3), ...position(body, 4), keycode: small(body, 16, 'keycode') }
}

export function decodeButton(body: Uint8Array): ButtonEvent {
  return { pressed: eitherOf(body, 'button event', 4, 5), ...position(body, 4), button: small(body, 16, 'button') }
}

export const decodeMotion = (body: Uint8Array): Position => position(body, 0)

export function decodeCrossing(body: Uint8Array): CrossingEvent {
  return { inside: eitherOf(body, 'crossing', 7, 8), ...position(body, 4) }
}

/** True when the window has got the keyboard. */
export const decodeFocus = (body: Uint8Array): boolean => eitherOf(body, 'focus', 9, 10)

export function decodeConfigure(body: Uint8Array): Rectangle {
  const rectangle = { x: readU32(body, 0) | 0, y: readU32(body, 4) | 0, width: readU32(body, 8), height: readU32(body, 12) }
  const { width, height } = rectangle
  if (width < 1 || height < 1 || width >= X_LIMIT || height >= X_LIMIT)
    throw new ProtocolError(`the GUI daemon makes a window ${width}x${height}`)
  return rectangle
}

/** What the window manager has set and unset; bits of WINDOW_FLAGS, those of later versions too. */
export function decodeFlags(body: Uint8Array): [set: number, unset: number] {
  const [set, unset] = [readU32(body, 0), readU32(body, 4)]
  if ((set & unset) !== 0) throw new ProtocolError(`the GUI daemon both sets and unsets flags of a window: ${set}, ${unset}`)
  return [set, unset]
}

/** Whether a key is down, by KEYMAP_NOTIFY. */
export const isDown = (keymap: Uint8Array, keycode: number): boolean => ((keymap[keycode >>> 3] >>> (keycode & 7)) & 1) === 1

function position(body: Uint8Array, offset: number): Position {
  return { x: readU32(body, offset) | 0, y: readU32(body, offset + 4) | 0, state: readU32(body, offset + 8) }
}

function eitherOf(body: Uint8Array, what: string, yes: number, no: number): boolean {
  const kind = readU32(body, 0)
  if (kind !== yes && kind !== no) throw new ProtocolError(`${what} of the GUI daemon has type ${kind}, expected ${yes} or ${no}`)
  return kind === yes
}

function small(body: Uint8Array, offset: number, what: string): number {
  const value = readU32(body, offset)
  if (value > 255) throw new ProtocolError(`${what} ${value} of the GUI daemon, X11 has none above 255`)
  return value
}
