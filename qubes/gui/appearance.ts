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
  /** What the daemon does not know yet. */
  #isNewTitle = false
  #isNewCursor = false
  /** Flags that the program wished to be otherwise, which is not told yet. */
  #wished = 0
  /** The flags as they were told last, and as the daemon reported them last, which may be about what was told before. */
  #told = 0
  #reported = 0
  #minimize = false

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
    this.#told = this.#reported = this.#flags & ~MINIMIZE
    if (this.#told !== 0) messages.push(windowFlags(this.#id, this.#told, 0))
    this.#isNewTitle = this.#isNewCursor = this.#minimize = false
    this.#wished = 0
    return messages
  }

  /** Whether there is something that the daemon does not know. */
  get isChanged(): boolean {
    return this.#isNewTitle || this.#isNewCursor || this.#minimize || this.#wished !== 0
  }

  /** What was changed since the daemon was last told. */
  changes(): Uint8Array[] {
    const messages: Uint8Array[] = []
    if (this.#isNewTitle) messages.push(wmName(this.#id, this.#title))
    if (this.#isNewCursor) messages.push(cursor(this.#id, this.#cursor))
    const set = this.#flags & this.#wished
    const unset = this.#wished & ~set
    const minimize = this.#minimize ? MINIMIZE : 0
    if ((set | unset | minimize) !== 0) messages.push(windowFlags(this.#id, set | minimize, unset))
    this.#told = (this.#told | set) & ~unset
    this.#reported = (this.#reported | set) & ~unset
    this.#wished = 0
    this.#isNewTitle = this.#isNewCursor = this.#minimize = false
    return messages
  }

  /** The hints for a window of this size; undefined when there are none. */
  hints(size: Size): Uint8Array | undefined {
    const hints = this.#resizable ? this.#hints : { ...this.#hints, min: size, max: size }
    return hints.placed || hints.min || hints.max || hints.step || hints.base ? windowHints(this.#id, hints) : undefined
  }

  title(title: string): void {
    this.#title = this.#text.encode(title)
    this.#isNewTitle = true
  }

  /** @throws RangeError for a name that is none */
  cursor(name: CursorName): void {
    if (!Object.hasOwn(CURSORS, name))
      throw new RangeError(`window ${this.#id}: there is no cursor '${name}'; there are ${Object.keys(CURSORS).join(', ')}`)
    if (name === this.#cursor) return
    this.#cursor = name
    this.#isNewCursor = true
  }

  /** A wish of the program. The daemon tells what became of it. */
  wish(flag: number, on: boolean): void {
    const has = (flags: number): boolean => (flags & flag) !== 0
    // Being minimised is no lasting wish: a new daemon shows the window.
    if (flag === MINIMIZE) {
      this.#minimize = !has(this.#flags)
      return
    }
    this.#flags = on ? this.#flags | flag : this.#flags & ~flag
    if (on === has(this.#told) && on === has(this.#reported)) this.#wished &= ~flag
    else this.#wished |= flag
  }

  /** The daemon reports a change. What the program has wished since is still to be told. */
  changed(set: number, unset: number): WindowState {
    this.#reported = (this.#reported | set) & ~unset
    this.#flags = (this.#flags & this.#wished) | ((this.#flags | set) & ~unset & ~this.#wished)
    return this.state
  }

  /** A new daemon knows nothing of it. */
  disconnected(): void {
    this.#flags &= ~MINIMIZE
    this.#minimize = false
  }

  get state(): WindowState {
    const has = (flag: number): boolean => (this.#flags & flag) !== 0
    return { fullscreen: has(FULLSCREEN), minimized: has(MINIMIZE), attention: has(ATTENTION) }
  }
}
