/** What a window is given by the program and by the agent, and what the program hears of it. */
import type { Log, Timers } from '@xen-ts/runtime/machine'
import type { Text } from '../text.ts'
import type { AppearanceOptions, WindowState } from './appearance.ts'
import type { ButtonEvent, CrossingEvent, KeyEvent, Position } from './events.ts'
import type { ImageMemory } from './image.ts'
import type { Outbox } from './outbox.ts'

export interface WindowOptions extends AppearanceOptions {
  /** Pixels, at most 16384 x 6144. */
  readonly width: number
  readonly height: number
}

export interface WindowEvents {
  key: KeyEvent
  button: ButtonEvent
  motion: Position
  crossing: CrossingEvent
  /** Whether the window has the keyboard now. */
  focus: boolean
  /** The user pressed Ctrl-Shift-V: text of another qube. */
  paste: string
  /** The user has changed the size: `pixels` is another array from now on, with the old picture in its corner. Draw it anew. */
  resize: { readonly width: number; readonly height: number }
  /** The window is elsewhere on the screen. */
  move: { readonly x: number; readonly y: number }
  /** It was made fullscreen, minimised, or one of them no more. */
  state: WindowState
  /** The user wants it closed. It stays open until `close`. */
  close: undefined
}

/** The daemon's end of a connection, as a window needs it. */
export interface Link {
  readonly domid: number
  readonly minor: number
  send(bytes: Uint8Array): Promise<void>
  /** Sends all of it now, or nothing: then false. */
  trySend(bytes: Uint8Array): boolean
}

export interface WindowContext {
  readonly id: number
  readonly memory: ImageMemory
  readonly timers: Timers
  readonly text: Text
  readonly log: Log
  /** Where a window says that it has something to tell. */
  readonly outbox: Outbox
  /** The connection now, if there is one. */
  link(): Link | undefined
  /** The daemon knows nothing of it any more. */
  gone(): void
}
