/** The images of a window: the one the program draws into, and those that the GUI daemon has, which stay until it has the next. */
import { Image, type ImageMemory } from './image.ts'
import { windowDump } from './messages.ts'
import type { Link } from './window-context.ts'

/** From this minor version on, the daemon tells that it has done a WINDOW_DUMP. */
const DUMP_ACK = 7

export class Surface {
  readonly #memory: ImageMemory
  readonly #id: number
  #image: Image
  #pixels: Uint32Array
  /** The image the daemon was told last. */
  #dumped: Image | undefined
  /** For each WINDOW_DUMP without an answer, the image it took the place of. */
  readonly #replaced: (Image | undefined)[] = []

  /** @throws XenError when there is no memory */
  constructor(memory: ImageMemory, id: number, width: number, height: number) {
    this.#memory = memory
    this.#id = id
    this.#image = new Image(memory, width, height, `window ${id}`)
    this.#pixels = pixelsOf(this.#image)
  }

  get width(): number {
    return this.#image.width
  }
  get height(): number {
    return this.#image.height
  }
  get pixels(): Uint32Array {
    return this.#pixels
  }
  /** The same memory, and what is left of its last page. */
  get memory(): Uint8Array {
    return this.#image.bytes
  }
  get bytes(): Uint8Array {
    return this.#image.bytes.subarray(0, this.width * this.height * 4)
  }

  /** Whether the daemon has another image than the program, or none. */
  get isNew(): boolean {
    return this.#dumped !== this.#image
  }

  /** Whether the daemon has not answered for the last image: it is not sent another one. */
  get isUnanswered(): boolean {
    return this.#replaced.length > 0
  }

  /** Makes sure that the image can be told to the daemon. @throws XenError when there are not enough grants */
  reserve(link: Link): void {
    this.#image.share(link.domid)
  }

  /**
   * Takes another image, with what fits of the picture.
   * @throws XenError when there is no memory, or when there are not enough grants: then everything is as before
   */
  resize(width: number, height: number, link: Link | undefined): void {
    const image = new Image(this.#memory, width, height, `window ${this.#id}`)
    try {
      if (link !== undefined) image.share(link.domid)
    } catch (error) {
      image.release()
      throw error
    }
    const old = this.#image
    image.copyFrom(old)
    this.#image = image
    this.#pixels = pixelsOf(image)
    // Nobody but the program has seen it.
    if (old !== this.#dumped) old.release()
  }

  /** WINDOW_DUMP: tells the daemon where the pixels are. @throws XenError as `reserve` */
  dump(link: Link): Uint8Array {
    const refs = this.#image.share(link.domid)
    const old = this.#dumped
    this.#dumped = this.#image
    if (link.minor >= DUMP_ACK) this.#replaced.push(old)
    // Nothing says when: the grant table waits until the pages are not mapped.
    else old?.release()
    return windowDump(this.#id, this.width, this.height, refs)
  }

  /** WINDOW_DUMP_ACK: the image before the one that was dumped is not in use any more. */
  acknowledged(): void {
    this.#replaced.shift()?.release()
  }

  /** The connection is over, and with it whatever the daemon held. */
  disconnected(): void {
    for (const image of this.#replaced.splice(0)) image?.release()
    if (this.isNew) this.#dumped?.release()
    this.#dumped = undefined
  }

  release(): void {
    this.disconnected()
    this.#image.release()
    this.#pixels = new Uint32Array(0)
  }

  /** The program draws no more; the daemon still has it. */
  close(): void {
    this.#pixels = new Uint32Array(0)
  }
}

const pixelsOf = ({ bytes, width, height }: Image): Uint32Array => new Uint32Array(bytes.buffer, bytes.byteOffset, width * height)
