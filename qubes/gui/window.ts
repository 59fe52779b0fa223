/** A window of the program: its pixels, what is told to the GUI daemon about it, and what the user does with it. */
import { describeBriefly, type Timer } from '@xen-ts/runtime/machine'
import { ProtocolError } from '../supervise.ts'
import { Appearance, type WindowState } from './appearance.ts'
import { Image } from './image.ts'
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
  shmImage,
  unmap,
  windowDump,
} from './messages.ts'
import { around, clip, fill } from './rectangles.ts'
import type { WindowContext, WindowEvents, WindowOptions } from './window-context.ts'

/** From this minor version on, the daemon tells that it has done a DESTROY, and a WINDOW_DUMP. */
const DESTROY_ACK = 5
const DUMP_ACK = 7
/** Images without an answer: a daemon that never gives one and asks for other sizes would get all memory. */
const MOST_UNANSWERED = 64

export class Window {
  readonly #context: WindowContext
  readonly #handlers = new Map<string, Set<(event: never) => void>>()
  readonly #appearance: Appearance
  #image: Image
  #pixels: Uint32Array
  #x: number
  #y: number
  /** For each WINDOW_DUMP without an answer, the image it took the place of. */
  #replaced: (Image | undefined)[] = []
  #shown = false
  /** It was said that there is no memory for the size the daemon wants. */
  #cramped = false
  #closed = false
  #damage: Rectangle | undefined
  #flushing: Timer | undefined
  /** The daemon has not taken all of the last picture: more would only fill the memory. */
  #writing = false

  /** @internal programs call `gui.window` */
  constructor(context: WindowContext, options: WindowOptions) {
    const { title, width, height, x = 0, y = 0 } = options
    checkSize(`window '${title}'`, width, height)
    this.#context = context
    this.#appearance = new Appearance(context.id, context.text, options)
    this.#x = x
    this.#y = y
    this.#image = new Image(context.memory, width, height, `window ${context.id}`)
    this.#pixels = pixelsOf(this.#image)
    try {
      this.show()
    } catch (error) {
      this.close()
      throw error
    }
  }

  get width(): number {
    return this.#image.width
  }
  get height(): number {
    return this.#image.height
  }

  /** One number a pixel, 0xRRGGBB, row after row. Another array after a change of the size, an empty one after `close`. */
  get pixels(): Uint32Array {
    return this.#pixels
  }

  /** The same memory: blue, green, red and a byte without meaning for each pixel. */
  get bytes(): Uint8Array {
    return this.#closed ? new Uint8Array(0) : this.#image.bytes.subarray(0, this.width * this.height * 4)
  }

  get closed(): boolean {
    return this.#closed
  }

  /**
   * Says that pixels were drawn; without numbers, all of them. It is told to the daemon once a turn, as the smallest rectangle around
   * all that was damaged, and when the daemon has taken the one before.
   */
  damage(x = 0, y = 0, width = this.width, height = this.height): void {
    const area = this.#clip(x, y, width, height)
    if (area !== undefined) this.#addDamage(area)
  }

  /**
   * Fills a rectangle with a colour, 0xRRGGBB, and says that it was drawn; without numbers, all of the window. What is outside of the
   * window is left out. Of a large rectangle, faster than `pixels.fill`.
   */
  fill(colour: number, x = 0, y = 0, width = this.width, height = this.height): void {
    const area = this.#clip(x, y, width, height)
    if (area === undefined) return
    fill(this.#pixels, this.width, area, colour)
    this.#addDamage(area)
  }

  setTitle(title: string): void {
    this.#tell(this.#appearance.title(title))
  }

  /** The shape of the mouse pointer over this window. @throws RangeError for a name that is none */
  setCursor(name: CursorName): void {
    this.#tell(this.#appearance.cursor(name))
  }

  /** Over the whole screen, without a frame; a qube that dom0 does not allow that (guivm feature) is maximised. */
  setFullscreen(on: boolean): void {
    this.#tell(this.#appearance.wish(FULLSCREEN, on))
  }

  /** Asks the user to look at it; over when he does. */
  setAttention(on: boolean): void {
    this.#tell(this.#appearance.wish(ATTENTION, on))
  }

  /** Into the task bar. The user gets it back from there. */
  minimize(): void {
    this.#tell(this.#appearance.wish(MINIMIZE, true))
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

  /** Changes the size; there is no `resize` event for it. @throws RangeError, XenError when there is no memory */
  resize(width: number, height: number): void {
    checkSize(`window ${this.#context.id}`, width, height)
    if (this.#closed || (width === this.width && height === this.height)) return
    const old = this.#replace(width, height)
    if (this.#shown) {
      this.#tell(this.#appearance.hints(this.#image))
      this.#send(configure(this.#context.id, this.#geometry))
    }
    this.#dump(old)
  }

  /** Calls `handler` for each event of a kind. Returns the function that ends it. */
  on<K extends keyof WindowEvents>(kind: K, handler: (event: WindowEvents[K]) => void): () => void {
    const handlers = this.#handlers.get(kind) ?? new Set()
    this.#handlers.set(kind, handlers.add(handler))
    return () => {
      handlers.delete(handler)
    }
  }

  /** Takes the window from the screen. Its memory is given back when the daemon has let go of it. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#pixels = new Uint32Array(0)
    this.#flushing?.cancel()
    const { id } = this.#context
    const link = this.#context.link()
    if (!this.#shown || link === undefined) return this.#end()
    this.#shown = false
    this.#send(unmap(id))
    this.#send(destroy(id))
    if (link.minor < DESTROY_ACK) this.#end()
  }

  /** @internal tells a daemon that knows nothing of this window all about it */
  show(): void {
    if (this.#closed || this.#context.link() === undefined) return
    const { id } = this.#context
    this.#shown = true
    this.#send(create(id, this.#geometry))
    for (const message of this.#appearance.messages(this.#image)) this.#send(message)
    this.#dump(undefined)
    this.#send(map(id))
    this.damage()
  }

  /** @internal the connection is over, and with it whatever the daemon held */
  disconnected(): void {
    this.#shown = false
    this.#writing = false
    this.#appearance.disconnected()
    for (const image of this.#replaced.splice(0)) image?.release()
    if (this.#closed) this.#end()
  }

  /**
   * @internal the daemon has another size or place for it: it is to be answered with the same numbers, or no further change comes.
   * Resolves when the answer is in the ring: who asks and does not read is not heard on.
   */
  configured(request: Rectangle): Promise<void> | undefined {
    if (this.#closed) return
    if (this.#replaced.length > MOST_UNANSWERED)
      throw new ProtocolError(`window ${this.#context.id}: ${this.#replaced.length} images without WINDOW_DUMP_ACK`)
    const width = Math.min(request.width, MAX_WIDTH)
    const height = Math.min(request.height, MAX_HEIGHT)
    const moved = this.#x !== request.x || this.#y !== request.y
    this.#x = request.x
    this.#y = request.y
    let old: Image | undefined
    if (width !== this.width || height !== this.height) {
      try {
        old = this.#replace(width, height)
      } catch (error) {
        // The daemon shows what there is of the picture, in a larger window.
        const line = `window ${this.#context.id} cannot become ${width}x${height}: ${describeBriefly(error)}`
        if (this.#cramped) this.#context.log.debug(line)
        else this.#context.log.warn(line)
        this.#cramped = true
      }
    }
    const answered = this.#context
      .link()
      ?.send(configure(this.#context.id, request))
      .catch(() => {})
    if (moved) this.emit('move', { x: request.x, y: request.y })
    if (old !== undefined) {
      this.#dump(old)
      this.emit('resize', { width, height })
    }
    return answered
  }

  /** @internal WINDOW_DUMP_ACK: the image before the one that was dumped is not in use any more */
  dumped(): void {
    this.#replaced.shift()?.release()
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
    if (this.#closed) return
    for (const handler of [...(this.#handlers.get(kind) ?? [])] as ((event: WindowEvents[K]) => void)[]) {
      try {
        handler(event)
      } catch (error) {
        this.#context.log.error(`window ${this.#context.id}: the program's handler of '${kind}' threw ${describeBriefly(error)}`)
      }
    }
  }

  get #geometry(): Rectangle {
    return { x: this.#x, y: this.#y, width: this.width, height: this.height }
  }

  #clip(x: number, y: number, width: number, height: number): Rectangle | undefined {
    return this.#closed ? undefined : clip({ x, y, width, height }, this.width, this.height)
  }

  #addDamage(area: Rectangle): void {
    this.#damage = this.#damage === undefined ? area : around(this.#damage, area)
    this.#flushSoon()
  }

  /** Another image with what fits of the picture. Gives the one before. */
  #replace(width: number, height: number): Image {
    const old = this.#image
    const image = new Image(this.#context.memory, width, height, `window ${this.#context.id}`)
    image.copyFrom(old)
    this.#image = image
    this.#pixels = pixelsOf(image)
    this.#damage = undefined
    return old
  }

  /** Tells the daemon where the pixels are. `old` is kept until it has taken that. */
  #dump(old: Image | undefined): void {
    const link = this.#context.link()
    if (!this.#shown || link === undefined) return old?.release()
    let refs: readonly number[]
    try {
      refs = this.#image.share(link.domid)
    } catch (error) {
      old?.release()
      throw error
    }
    this.#send(windowDump(this.#context.id, this.width, this.height, refs))
    if (link.minor >= DUMP_ACK) this.#replaced.push(old)
    else old?.release() // nothing says when: the grant table waits until the pages are not mapped
    this.damage()
  }

  #flushSoon(): void {
    if (this.#shown && !this.#writing) this.#flushing ??= this.#context.timers.set(0, this.#flush)
  }

  readonly #flush = (): void => {
    this.#flushing = undefined
    const link = this.#context.link()
    if (this.#damage === undefined || !this.#shown || link === undefined) return
    this.#writing = true
    const written = (): void => {
      if (link !== this.#context.link()) return
      this.#writing = false
      if (this.#damage !== undefined) this.#flushSoon()
    }
    void link.send(shmImage(this.#context.id, this.#damage)).then(written, written)
    this.#damage = undefined
  }

  /** A message about the appearance; a daemon that comes later is told by `show`. */
  #tell(bytes: Uint8Array | undefined): void {
    if (this.#shown && bytes !== undefined) this.#send(bytes)
  }

  /** Never rejects: the agent sees by itself that the daemon is gone, and a new one is told everything. */
  #send(bytes: Uint8Array): void {
    void this.#context
      .link()
      ?.send(bytes)
      .catch(() => {})
  }

  #end(): void {
    for (const image of this.#replaced.splice(0)) image?.release()
    this.#image.release()
    this.#context.gone()
  }
}

const pixelsOf = ({ bytes, width, height }: Image): Uint32Array => new Uint32Array(bytes.buffer, bytes.byteOffset, width * height)
