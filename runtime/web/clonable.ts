/**
 * What structuredClone and postMessage do with objects of the platform. A class registers its prototype here, which brings nothing of those
 * into an image that has only the class.
 */

/** https://html.spec.whatwg.org/#serializable-objects : makes a copy; `inner` copies its parts. */
export const serializable = new Map<object, (value: any, inner: (part: unknown) => unknown) => object>()

export interface Transfer {
  /** It was transferred before, and is of no use any more. */
  isDetached(value: any): boolean
  /** The object that takes its place. */
  move(value: any): object
}
/** https://html.spec.whatwg.org/#transferable-objects */
export const transferable = new Map<object, Transfer>()

/** By the prototype of an object, or that which it extends. */
export function byPrototype<T>(table: ReadonlyMap<object, T>, value: object): T | undefined {
  for (let each = Object.getPrototypeOf(value); each !== null; each = Object.getPrototypeOf(each)) {
    const found = table.get(each)
    if (found !== undefined) return found
  }
  return undefined
}
