/**
 * The handshake between the two halves of a split device (xen/include/public/io/xenbus.h): each half has a directory in
 * xenstore with a `state`, and goes by what the other's says.
 */
import { parseDecimal } from '../parse.ts'
import { isCode } from '../xenstore/error.ts'
import type { Xenstore } from '../xenstore/xenstore.ts'
import type { Keys } from './driver.ts'

export const XenbusState = {
  unknown: 0,
  initialising: 1,
  initWait: 2,
  initialised: 3,
  connected: 4,
  closing: 5,
  closed: 6,
  reconfiguring: 7,
  reconfigured: 8,
} as const

/** Where the other half of a device is, as the toolstack wrote it into ours. */
export interface Backend {
  readonly path: string
  readonly domid: number
}

const MAX_DOMID = 0x7fef

/**
 * State of the device half at `path`; `unknown` when there is none, it is no number, or may not be read: a directory that is
 * being made or taken down is not readable for a moment.
 */
export async function readState(xenstore: Xenstore, path: string): Promise<number> {
  return parseDecimal(await tryRead(xenstore, `${path}/state`), XenbusState.reconfigured) ?? XenbusState.unknown
}

/** The directory is gone or names another backend: the transaction that found that out changes nothing. */
const elsewhere = new Error('another backend')

/**
 * Writes keys of our directory for a backend, all at once. False when the directory is gone or names another one: nobody is left to
 * tell.
 * @param keys may still be worked out while the transaction begins: a round trip to the store is the dearest part of a boot. undefined when
 * there is nothing to be told after all: then it is false too
 */
export async function tellBackend(
  xenstore: Xenstore,
  frontend: string,
  backend: string,
  keys: Keys | Promise<Keys | undefined>,
): Promise<boolean> {
  return xenstore
    .transaction(async view => {
      const known = await keys
      if (known === undefined) throw elsewhere
      // Without this look a directory that was just removed would come back, with nothing but these keys in it; and what was meant for a
      // backend before a resume would reach the next one.
      const [named] = await Promise.all([
        view.tryRead(`${frontend}/backend`),
        ...known.map(([name, value]) => view.write(`${frontend}/${name}`, String(value))),
      ])
      if (named !== backend) throw elsewhere
      return true
    })
    .catch((error: unknown) => {
      // Where the directory was, we may not write.
      if (error === elsewhere || isCode(error, 'EACCES') || isCode(error, 'ENOENT')) return false
      throw error
    })
}

/** The backend of the device at `frontend`, or undefined when there is no such device (any more). */
export async function readBackend(xenstore: Xenstore, frontend: string): Promise<Backend | undefined> {
  const [path, domid] = await Promise.all([tryRead(xenstore, `${frontend}/backend`), tryRead(xenstore, `${frontend}/backend-id`)])
  const number = parseDecimal(domid, MAX_DOMID)
  return path?.startsWith('/') && number !== undefined ? { path, domid: number } : undefined
}

/** A key that may be missing or not readable. */
export async function tryRead(xenstore: Xenstore, path: string): Promise<string | undefined> {
  try {
    return await xenstore.tryRead(path)
  } catch (error) {
    if (isCode(error, 'EACCES')) return undefined
    throw error
  }
}
