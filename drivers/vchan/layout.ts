/**
 * The control page of a vchan (xen/include/public/io/libxenvchan.h): one page of the server, shared with its client. LEFT is the
 * ring of bytes from client to server, RIGHT the one from server to client.
 */

/** Index of a u32 in the control page. */
export const Word = { leftConsumer: 0, leftProducer: 1, rightConsumer: 2, rightProducer: 3, grants: 6 } as const

/** Index of a u16. */
export const Order = { left: 8, right: 9 } as const

/** Offset of a byte. `clientNotify` is what the server asks the client for, and the client grants and clears; and the reverse. */
export const Byte = { clientLive: 20, serverLive: 21, clientNotify: 22, serverNotify: 23 } as const

/** Bits of the notify bytes. */
export const Notify = { write: 1, read: 2 } as const

/** Values of the live bytes. Anything else counts as gone. */
export const Live = { gone: 0, connected: 1, notYet: 2 } as const

/** Rings of these two orders lie inside the control page. */
const IN_PAGE = [
  { order: 10, offset: 1024 },
  { order: 11, offset: 2048 },
]
const PAGE_ORDER = 12
const MIN_ORDER = 10
/** 1 MiB a direction: the references of more pages would not fit into the control page. */
const MAX_ORDER = 20
export const MAX_RING_SIZE = 2 ** MAX_ORDER

export interface Orders {
  readonly left: number
  readonly right: number
}

const pageOrder = (size: number): number => {
  let order = PAGE_ORDER
  while (2 ** order < size) order++
  return order
}

/**
 * The orders a server gives rings of at least `left` and `right` bytes, as libxenvchan does.
 * @throws RangeError when a size is not from 1 to 1 MiB
 */
export function chooseOrders(left: number, right: number): Orders {
  for (const size of [left, right]) {
    if (!Number.isInteger(size) || size < 1 || size > MAX_RING_SIZE)
      throw new RangeError(`vchan: a ring of ${size} bytes. Ask for 1 to ${MAX_RING_SIZE} bytes.`)
  }
  if (left <= 1024 && right <= 2048) return { left: 10, right: 11 }
  if (left <= 2048 && right <= 1024) return { left: 11, right: 10 }
  if (left <= 2048) return { left: 11, right: pageOrder(right) }
  if (right <= 2048) return { left: pageOrder(left), right: 11 }
  return { left: pageOrder(left), right: pageOrder(right) }
}

/** Whether a client may go on with what a server wrote. Orders 0 are a page that was never filled in, or has been wiped. */
export const areValid = ({ left, right }: Orders): boolean =>
  left >= MIN_ORDER && left <= MAX_ORDER && right >= MIN_ORDER && right <= MAX_ORDER && !(left === right && left < PAGE_ORDER)

/** Pages a ring needs besides the control page. */
export const ringPages = (order: number): number => (order < PAGE_ORDER ? 0 : 2 ** (order - PAGE_ORDER))

/** The bytes of a ring: in the control page, or all of its own pages. */
export function ringBytes(control: Uint8Array, pages: Uint8Array | undefined, order: number): Uint8Array {
  if (pages !== undefined) return pages
  const offset = IN_PAGE[order - MIN_ORDER].offset
  return control.subarray(offset, offset + 2 ** order)
}
