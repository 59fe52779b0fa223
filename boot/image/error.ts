/** An image that cannot be made, or a file that is none: what happened, where, and what to do about it. */
export class ImageError extends Error {
  override name = 'ImageError'
}
