/** How a window presents itself to the window manager: what it was made with and told since, for each new daemon again. */
import type { Text } from '../text.ts'
import {
  ATTENTION,
  CURSORS,
  type CursorName,
  cursor,
  FULLSCREEN,
  type Hints,
  MINIMIZE,
  type Size,
  windowFlags,
  windowHints,
  wmClass,
  wmName,
} from './messages.ts'

export interface AppearanceOptions {
  /** UTF-8; the GUI domain puts the qube's name before it, and shows the first 127 bytes. */
  readonly title: string
  /** Where the window would like to be, pixels from the screen's upper left corner; the window manager decides. */
  readonly x?: number
  readonly y?: number
  /** By what the window manager knows windows of a kind, such as `xen-ts-console`: 63 bytes at most. Default: the title. */
  readonly class?: string
  /** Whether the user may change its size. Default: yes. */
  readonly resizable?: boolean
  /** Sizes the user can give it: at least, at most, and in steps from a base size. Pixels. */
  readonly sizes?: { readonly min?: Size; readonly max?: Size; readonly step?: Size; readonly base?: Size }
}

/** What the window manager made of the window. */
export interface WindowState {
  readonly fullscreen: boolean
  /** In the task bar only. */
  readonly minimized: boolean
  /** Its entry in the task bar asks to be looked at. */
  readonly attention: boolean
}

export class Appearance {
  readonly #id: number
  readonly #text: Text
  readonly #class: Uint8Array
  readonly #hints: Hints
  readonly #resizable: boolean
  #title: Uint8Array
  #cursor: CursorName = 'default'
  #flags = 0

  /** @throws RangeError for what the daemon would not take */
  constructor(id: number, text: Text, { title, x, y, class: name = title, resizable = true, sizes = {} }: AppearanceOptions) {
    this.#id = id
    this.#text = text
    this.#title = text.encode(title)
    this.#class = text.encode(name)
    this.#resizable = resizable
    this.#hints = { ...sizes, placed: x !== undefined || y !== undefined }
    wmClass(id, this.#class) // says now what is wrong
    windowHints(id, this.#hints)
  }

  /** For a daemon that knows the window by CREATE only, to be sent before MAP. */
  messages(size: Size): Uint8Array[] {
    const messages = [wmClass(this.#id, this.#class), wmName(this.#id, this.#title)]
    const hints = this.hints(size)
    if (hints !== undefined) messages.push(hints)
    if (this.#cursor !== 'default') messages.push(cursor(this.#id, this.#cursor))
    if (this.#flags !== 0) messages.push(windowFlags(this.#id, this.#flags, 0))
    return messages
  }

  /** The hints for a window of this size; undefined when there are none. */
  hints(size: Size): Uint8Array | undefined {
    const hints = this.#resizable ? this.#hints : { ...this.#hints, min: size, max: size }
    return hints.placed || hints.min || hints.max || hints.step || hints.base ? windowHints(this.#id, hints) : undefined
  }

  title(title: string): Uint8Array {
    this.#title = this.#text.encode(title)
    return wmName(this.#id, this.#title)
  }

  /** @throws RangeError for a name that is none */
  cursor(name: CursorName): Uint8Array {
    if (!Object.hasOwn(CURSORS, name))
      throw new RangeError(`window ${this.#id}: there is no cursor '${name}'; there are ${Object.keys(CURSORS).join(', ')}`)
    this.#cursor = name
    return cursor(this.#id, name)
  }

  /** A wish of the program; undefined when it is fulfilled. The daemon tells what became of it. */
  wish(flag: number, on: boolean): Uint8Array | undefined {
    if (on === ((this.#flags & flag) !== 0)) return undefined
    // Being minimised is no lasting wish: a new daemon shows the window.
    if (flag !== MINIMIZE) this.#flags = on ? this.#flags | flag : this.#flags & ~flag
    return windowFlags(this.#id, on ? flag : 0, on ? 0 : flag)
  }

  /** The daemon reports a change. */
  changed(set: number, unset: number): WindowState {
    this.#flags = (this.#flags | set) & ~unset
    return this.state
  }

  /** A new daemon knows nothing of it. */
  disconnected(): void {
    this.#flags &= ~MINIMIZE
  }

  get state(): WindowState {
    const has = (flag: number): boolean => (this.#flags & flag) !== 0
    return { fullscreen: has(FULLSCREEN), minimized: has(MINIMIZE), attention: has(ATTENTION) }
  }
}
