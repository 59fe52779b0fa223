/** A window of the program: its pixels, what is told to the GUI daemon about it, and what the user does with it. */
import { describeBriefly, type Timer } from '@xen-ts/runtime/machine'
import { concat } from '../text.ts'
import { Appearance, type WindowState } from './appearance.ts'
import { Listeners } from './listeners.ts'
import {
  ATTENTION,
  type CursorName,
  checkSize,
  configure,
  create,
  destroy,
  FULLSCREEN,
  MAX_HEIGHT,
  MAX_WIDTH,
  MINIMIZE,
  map,
  type Rectangle,
  ShmImage,
  type Size,
  unmap,
} from './messages.ts'
import type { Teller } from './outbox.ts'
import { around, clip, fill } from './rectangles.ts'
import { Surface } from './surface.ts'
import type { Link, WindowContext, WindowEvents, WindowOptions } from './window-context.ts'

/** From this minor version on, the daemon tells that it has done a DESTROY. */
const DESTROY_ACK = 5
const done = Promise.resolve()
/** How long (ms) after it had no room a window looks for some again. */
const RETRY = 1_000

export class Window {
  readonly #context: WindowContext
  readonly #listeners: Listeners
  readonly #appearance: Appearance
  readonly #surface: Surface
  /** All of its pixels. */
  #whole: Rectangle
  /** The message that tells of a picture, which is written anew for each. */
  readonly #image: ShmImage
  readonly #teller: Teller
  #x: number
  #y: number
  /** The daemon knows of it. */
  #shown = false
  /** The size that the program gave it is not told yet. */
  #resized = false
  /** What the user wants it to be, and there is no room for. */
  #wanted: Size | undefined
  /** It was said that there is not enough room. */
  #cramped = false
  #retry: Timer | undefined
  #closed = false
  #damage: Rectangle | undefined
  #frames: (() => void)[] = []
  /** What was told is not taken yet. */
  #isTelling = false

  /** @internal programs call `gui.window` */
  constructor(context: WindowContext, options: WindowOptions) {
    const { title, width, height, x = 0, y = 0 } = options
    checkSize(`window '${title}'`, width, height)
    this.#context = context
    this.#appearance = new Appearance(context.id, context.text, options)
    this.#listeners = new Listeners(context.log, `window ${context.id}`)
    this.#x = x
    this.#y = y
    this.#surface = new Surface(context.memory, context.id, width, height)
    this.#whole = { x: 0, y: 0, width, height }
    this.#image = new ShmImage(context.id)
    this.#teller = { name: `window ${context.id}`, tell: link => this.#tell(link), told: () => this.#told() }
    try {
      const link = context.link()
      if (link !== undefined) this.#surface.reserve(link)
    } catch (error) {
      this.close()
      throw error
    }
    this.show()
  }

  get width(): number {
    return this.#whole.width
  }
  get height(): number {
    return this.#whole.height
  }

  /** One number a pixel, 0xRRGGBB, row after row. Another array after a change of the size, an empty one after `close`. */
  get pixels(): Uint32Array {
    return this.#surface.pixels
  }

  /** The same memory: blue, green, red and a byte without meaning for each pixel. */
  get bytes(): Uint8Array {
    return this.#closed ? new Uint8Array(0) : this.#surface.bytes
  }

  get closed(): boolean {
    return this.#closed
  }

  /**
   * Says that pixels were drawn; without numbers, all of them. It is told to the daemon once a turn, as the smallest rectangle around
   * all that was damaged, and when the daemon has taken the one before.
   */
  damage(x = 0, y = 0, width = this.#whole.width, height = this.#whole.height): void {
    const area = this.#clip(x, y, width, height)
    if (area !== undefined) this.#addDamage(area)
  }

  /**
   * Fills a rectangle with a colour, 0xRRGGBB, and says that it was drawn; without numbers, all of the window. What is outside of the
   * window is left out. Of a large rectangle, faster than `pixels.fill`.
   */
  fill(colour: number, x = 0, y = 0, width = this.#whole.width, height = this.#whole.height): void {
    const area = this.#clip(x, y, width, height)
    if (area === undefined) return
    const surface = this.#surface
    fill(this.#context.memory.abi, surface.pixels, surface.memory, this.#whole.width, area, colour)
    this.#addDamage(area)
  }

  setTitle(title: string): void {
    this.#appearance.title(title)
    this.#changed()
  }

  /** The shape of the mouse pointer over this window. @throws RangeError for a name that is none */
  setCursor(name: CursorName): void {
    this.#appearance.cursor(name)
    this.#changed()
  }

  /** Over the whole screen, without a frame; a qube that dom0 does not allow that (guivm feature) is maximised. */
  setFullscreen(on: boolean): void {
    this.#wish(FULLSCREEN, on)
  }

  /** Asks the user to look at it; over when he does. */
  setAttention(on: boolean): void {
    this.#wish(ATTENTION, on)
  }

  /** Into the task bar. The user gets it back from there. */
  minimize(): void {
    this.#wish(MINIMIZE, true)
  }

  /** What was wished and what the window manager made of it. */
  get state(): WindowState {
    return this.#appearance.state
  }

  /** Pixels from the screen's upper left corner, as far as that is known. */
  get x(): number {
    return this.#x
  }
  get y(): number {
    return this.#y
  }

  /**
   * Changes the size; there is no `resize` event for it.
   * @throws RangeError, XenError when there is no memory, or not enough grants: then nothing has changed
   */
  resize(width: number, height: number): void {
    checkSize(`window ${this.#context.id}`, width, height)
    if (this.#closed) return
    this.#wanted = undefined
    if (width === this.width && height === this.height) return
    this.#replace(width, height)
    this.#resized = this.#shown
  }

  /**
   * Resolves when the daemon has taken all that was changed and drawn: a program that awaits it draws no faster than it is shown. Without a
   * daemon it waits for one. Resolves also when the window is closed.
   */
  frame(): Promise<void> {
    if (this.#closed) return done
    if (this.#frames.length === 0) this.#context.outbox.flush()
    if (this.#isTold) return done
    return new Promise(resolve => this.#frames.push(resolve))
  }

  /** Calls `handler` for each event of a kind. Returns the function that ends it. */
  on<K extends keyof WindowEvents>(kind: K, handler: (event: WindowEvents[K]) => void): () => void {
    return this.#listeners.on(kind, handler)
  }

  /** Takes the window from the screen. Its memory is given back when the daemon has let go of it. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#surface.close()
    this.#retry?.cancel()
    for (const resolve of this.#frames.splice(0)) resolve()
    if (this.#shown && this.#context.link() !== undefined) this.#changed()
    else this.#end()
  }

  /** @internal there is a daemon that knows nothing of this window */
  show(): void {
    if (!this.#closed) this.#changed()
  }

  /** @internal the connection is over, and with it whatever the daemon held */
  disconnected(): void {
    this.#shown = this.#resized = this.#isTelling = false
    this.#wanted = undefined
    this.#appearance.disconnected()
    if (this.#closed) this.#end()
    else this.#surface.disconnected()
  }

  /**
   * @internal the daemon has another size or place for it: it is to be answered with the same numbers, or no further change comes.
   * Resolves when the answer is in the ring: who asks and does not read is not heard on.
   */
  configured(request: Rectangle): Promise<void> | undefined {
    if (this.#closed) return
    const moved = this.#x !== request.x || this.#y !== request.y
    this.#x = request.x
    this.#y = request.y
    this.#wanted = { width: Math.min(request.width, MAX_WIDTH), height: Math.min(request.height, MAX_HEIGHT) }
    // The user's is the last word.
    this.#resized = false
    const answered = this.#context
      .link()
      ?.send(configure(this.#context.id, request))
      .catch(() => {})
    if (moved) this.emit('move', { x: request.x, y: request.y })
    this.#grow()
    return answered
  }

  /** @internal WINDOW_DUMP_ACK: the daemon has the image */
  dumped(): void {
    this.#surface.acknowledged()
    this.#changed()
    this.#grow()
  }

  /** @internal WINDOW_FLAGS of the daemon */
  flagged(set: number, unset: number): void {
    this.emit('state', this.#appearance.changed(set, unset))
  }

  /** @internal DESTROY of the daemon */
  destroyed(): void {
    if (this.#closed) this.#end()
  }

  /** @internal */
  emit<K extends keyof WindowEvents>(kind: K, event: WindowEvents[K]): void {
    if (!this.#closed) this.#listeners.emit(kind, event)
  }

  get #geometry(): Rectangle {
    return { x: this.#x, y: this.#y, width: this.width, height: this.height }
  }

  /** What of it is inside. There is one for each frame: the usual ones, all of it and whole pixels inside, are told apart first. */
  #clip(x: number, y: number, width: number, height: number): Rectangle | undefined {
    if (this.#closed) return undefined
    const whole = this.#whole
    if (width === whole.width && height === whole.height && x === 0 && y === 0) return whole
    return clip({ x, y, width, height }, whole.width, whole.height)
  }

  #addDamage(area: Rectangle): void {
    if (this.#damage === undefined) {
      this.#damage = area
      this.#changed()
    } else {
      this.#damage = around(this.#damage, area)
    }
  }

  #wish(flag: number, on: boolean): void {
    this.#appearance.wish(flag, on)
    this.#changed()
  }

  #changed(): void {
    this.#context.outbox.add(this.#teller)
  }

  /** Another image with what fits of the picture. @throws XenError */
  #replace(width: number, height: number): void {
    this.#surface.resize(width, height, this.#context.link())
    this.#whole = { x: 0, y: 0, width, height }
    this.#cramped = false
    this.#damage = undefined
    this.#changed()
  }

  /** Takes the size that the user wants, when there is room for it. Without, the daemon shows what there is of the picture. */
  #grow(): void {
    const wanted = this.#wanted
    if (wanted === undefined || this.#closed) return
    const { width, height } = wanted
    const isOther = width !== this.width || height !== this.height
    if (isOther) {
      try {
        this.#replace(width, height)
      } catch (error) {
        return this.#complain(`cannot become ${width}x${height}`, error)
      }
    }
    this.#cramped = false
    this.#wanted = undefined
    if (isOther) this.emit('resize', { width, height })
  }

  /** There is no room: says so once, and looks again later. */
  #complain(what: string, error: unknown): void {
    this.#context.log[this.#cramped ? 'debug' : 'warn'](`window ${this.#context.id} ${what}: ${describeBriefly(error)}`)
    this.#cramped = true
    this.#retry ??= this.#context.timers.set(RETRY, () => {
      this.#retry = undefined
      this.#grow()
      if (!this.#shown) this.#changed()
    })
  }

  #tell(link: Link): Uint8Array | undefined {
    this.#isTelling = true
    if (this.#closed) return this.#farewell(link)
    if (!this.#shown) return this.#introduce(link)
    // Most of the time there is nothing but a picture.
    if (!this.#appearance.isChanged && !this.#surface.isNew) return this.#picture()
    const messages = this.#appearance.isChanged ? this.#appearance.changes() : []
    if (this.#surface.isNew && !this.#surface.isUnanswered) {
      if (this.#resized) {
        const hints = this.#appearance.hints(this.#surface)
        if (hints !== undefined) messages.push(hints)
        messages.push(configure(this.#context.id, this.#geometry))
        this.#resized = false
      }
      messages.push(this.#surface.dump(link))
      this.#damage = this.#whole
    }
    const picture = this.#picture()
    if (picture !== undefined) messages.push(picture)
    return messages.length === 0 ? undefined : concat(messages)
  }

  /** The daemon has taken what was told. */
  #told(): void {
    this.#isTelling = false
    if (this.#frames.length > 0 && this.#isTold) for (const resolve of this.#frames.splice(0)) resolve()
  }

  /** Whether the daemon has taken all that there is to tell. */
  get #isTold(): boolean {
    return (
      this.#shown &&
      this.#damage === undefined &&
      !this.#isTelling &&
      !this.#appearance.isChanged &&
      !this.#surface.isNew &&
      !this.#surface.isUnanswered
    )
  }

  /** What is damaged; of an image that the daemon does not have yet, nothing. */
  #picture(): Uint8Array | undefined {
    const damage = this.#damage
    if (damage === undefined || this.#surface.isNew) return undefined
    this.#damage = undefined
    return this.#image.of(damage)
  }

  /** All about the window. */
  #introduce(link: Link): Uint8Array | undefined {
    const { id } = this.#context
    let dump: Uint8Array
    try {
      dump = this.#surface.dump(link)
    } catch (error) {
      this.#complain('cannot be shown', error)
      return undefined
    }
    this.#cramped = false
    this.#shown = true
    this.#resized = false
    this.#damage = this.#whole
    return concat([create(id, this.#geometry), ...this.#appearance.messages(this.#surface), dump, map(id), this.#picture()!])
  }

  #farewell(link: Link): Uint8Array | undefined {
    if (!this.#shown) return undefined
    this.#shown = false
    const { id } = this.#context
    if (link.minor < DESTROY_ACK) this.#end()
    return concat([unmap(id), destroy(id)])
  }

  #end(): void {
    this.#context.outbox.remove(this.#teller)
    this.#surface.release()
    this.#context.gone()
  }
}
