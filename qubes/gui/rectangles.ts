/** Rectangles of pixels. */
import type { XenMachine } from '@xen-ts/runtime/machine'
import type { Rectangle } from './messages.ts'

const rectangle = (left: number, top: number, right: number, bottom: number): Rectangle => ({
  x: left,
  y: top,
  width: right - left,
  height: bottom - top,
})

/** What of a rectangle is inside of a picture of this size, in whole pixels; undefined when nothing is. */
export function clip({ x, y, width, height }: Rectangle, within: number, high: number): Rectangle | undefined {
  const left = Math.max(0, Math.floor(x))
  const top = Math.max(0, Math.floor(y))
  const right = Math.min(within, Math.ceil(x + width))
  const bottom = Math.min(high, Math.ceil(y + height))
  return left < right && top < bottom ? rectangle(left, top, right, bottom) : undefined
}

/** The smallest rectangle around two. */
export function around(a: Rectangle, b: Rectangle): Rectangle {
  return rectangle(Math.min(a.x, b.x), Math.min(a.y, b.y), Math.max(a.x + a.width, b.x + b.width), Math.max(a.y + a.height, b.y + b.height))
}

/**
 * Fills a rectangle that is inside of a picture: its first row, which the engine fills pixel by pixel, and the kernel copies that one to the others.
 * @param bytes the same memory as `pixels`, @param stride pixels in a row of the picture, @param colour 0xRRGGBB
 */
export function fill(
  abi: Pick<XenMachine['abi'], 'copyRows'>,
  pixels: Uint32Array,
  bytes: Uint8Array,
  stride: number,
  { x, y, width, height }: Rectangle,
  colour: number,
): void {
  const start = y * stride + x
  pixels.fill(colour, start, start + width)
  if (height > 1) abi.copyRows(bytes, 4 * (start + stride), 4 * stride, bytes, 4 * start, 0, 4 * width, height - 1)
}
