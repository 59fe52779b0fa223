/** A window as the GUI daemon has it: what the agent said about it, and the picture it was shown. */
import { encodePng } from './png.ts'
import { DaemonDied } from './qubesdb.ts'

/** Bytes of an image: `rows` times `length`, the first at `offset`, each `stride` behind the one before. */
export interface Part {
  readonly offset: number
  readonly length: number
  readonly stride: number
  readonly rows: number
}

/** Pages of an image, mapped read-only. */
export interface MappedImage {
  /** The rows without gaps. */
  read(part: Part): Uint8Array | Promise<Uint8Array>
  /** They are not mapped any more when it resolves. */
  release(): void | Promise<void>
}

/** Maps granted pages of the domain. One that throws loses the picture, not the daemon, as a grant that cannot be mapped does. */
export type ImageReader = (refs: readonly number[]) => MappedImage | Promise<MappedImage>

export interface Damage {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

export const died = (why: string): DaemonDied => new DaemonDied('qubes-guid', why)

export class DaemonWindow {
  readonly id: number
  x: number
  y: number
  width: number
  height: number
  title = ''
  class = ''
  hints: number[] = []
  /** 0 for the default, else 0x100 and a glyph of the cursor font. */
  cursor = 0
  /** What the window manager has made of it: 1 fullscreen, 2 demands attention, 4 minimised. */
  flags = 0
  mapped = false
  /** Size of the image that was dumped last, and its grant references. */
  image: { readonly width: number; readonly height: number; readonly refs: readonly number[] } | undefined
  /** What was copied out of it: BGRX. */
  picture = Buffer.alloc(0)
  readonly damage: Damage[] = []
  /** The change of the size that the agent has to answer. */
  pending: Buffer | undefined
  #pages: MappedImage | undefined

  /** @param body of CREATE; sizes below 0 make the real daemon ask the user whether to end the qube */
  constructor(id: number, body: Buffer) {
    this.id = id
    ;[this.x, this.y, this.width, this.height] = [0, 4, 8, 12].map(offset => body.readInt32LE(offset))
    if (this.width < 0 || this.height < 0) throw died(`window ${id} of ${this.width}x${this.height}`)
  }

  /** Gives what to send again when the agent did not answer with the numbers it was sent. */
  configure(body: Buffer): Buffer | undefined {
    if (this.pending !== undefined && !this.pending.subarray(0, 16).equals(body.subarray(0, 16))) return this.pending
    this.pending = undefined
    ;[this.x, this.y, this.width, this.height] = [0, 4, 8, 12].map(offset => body.readInt32LE(offset))
    if (this.width === 0 || this.height === 0) throw died(`window ${this.id} made ${this.width}x${this.height}`)
    return undefined
  }

  async dump(body: Buffer, map: ImageReader | undefined): Promise<void> {
    const [type, width, height] = [0, 4, 8].map(offset => body.readUInt32LE(offset))
    const refs = Array.from({ length: (body.length - 16) / 4 }, (_, index) => body.readUInt32LE(16 + index * 4))
    if (type !== 0) throw died(`WINDOW_DUMP of type ${type}`)
    if (width > 16384 || height > 6144) throw died(`WINDOW_DUMP of ${width}x${height}`)
    if (refs.length * 4096 < width * height * 4) throw died(`WINDOW_DUMP of ${width}x${height} in ${refs.length} pages`)
    await this.release()
    this.image = { width, height, refs }
    this.picture = Buffer.alloc(width * height * 4)
    try {
      this.#pages = await map?.(refs)
    } catch {
      this.#pages = undefined
    }
  }

  /** SHMIMAGE: copies the rectangle, clipped to the image; nothing while the window is not mapped. */
  async paint(body: Buffer): Promise<void> {
    const [x, y, width, height] = [0, 4, 8, 12].map(offset => body.readInt32LE(offset))
    if (!this.mapped || x < 0 || y < 0 || width < 0 || height < 0) return
    this.damage.push({ x, y, width, height })
    if (this.#pages === undefined || this.image === undefined) return
    const stride = this.image.width * 4
    const length = (Math.min(x + width, this.image.width) - x) * 4
    const rows = Math.min(y + height, this.image.height) - y
    if (length <= 0 || rows <= 0) return
    const offset = y * stride + x * 4
    const bytes = await this.#pages.read({ offset, length, stride, rows })
    for (let row = 0; row < rows; row++) this.picture.set(bytes.subarray(row * length, (row + 1) * length), offset + row * stride)
  }

  /** WINDOW_FLAGS: before MAP only what is to be set counts, and nobody can be minimised. Gives what the window manager tells about it. */
  setFlags(body: Buffer): Buffer | undefined {
    const [set, unset] = [body.readUInt32LE(0), body.readUInt32LE(4)]
    if ((set & unset) !== 0) throw died(`window ${this.id}: a flag both set and unset`)
    const old = this.flags
    this.flags = this.mapped ? (old | (set & 7)) & ~(unset & 3) : set & 3
    if (!this.mapped || this.flags === old) return undefined
    const answer = Buffer.alloc(8)
    answer.writeUInt32LE(this.flags & ~old, 0)
    answer.writeUInt32LE(old & ~this.flags, 4)
    return answer
  }

  async unmap(): Promise<void> {
    this.mapped = false
    await this.release()
  }

  async release(): Promise<void> {
    const pages = this.#pages
    this.#pages = undefined
    await pages?.release()
  }

  /** The picture, as a PNG file. */
  png(): Buffer {
    if (this.image === undefined) throw new Error(`window ${this.id} has no image yet`)
    return encodePng(this.image.width, this.image.height, this.picture)
  }
}
