/** What a kind of device (vif, vbd) brings to the life of its frontend, which is in frontend.ts. */
import type { Backend } from './handshake.ts'

/** Keys of the frontend's directory. */
export type Keys = readonly (readonly [name: string, value: number])[]

/** One connection to one backend: rings and what belongs to them. */
export interface FrontendLink {
  readonly backend: Backend
  /** The backend has said that it is connected too. */
  readonly up: boolean
  /** The backend broke the rules; the link has closed itself. */
  readonly broken: boolean
  /** Whether the backend has not let go of the pages of this connection, which is closed. */
  readonly isHeld: boolean
  /** What the backend must know to connect. */
  readonly keys: Keys
  /** The backend is connected: whatever happened before that is looked at now. */
  start(): void
  close(): void
}

/** What a kind of device does at the turns of its frontend's life. `Offer`: what a backend says that it can do. */
export interface FrontendDriver<L extends FrontendLink, Offer> {
  /** For messages: `vif 0`. */
  readonly name: string
  /** Source of its log lines. */
  readonly source: string
  /** The toolstack has made the device anew, or will have: what was read from its directory before is read again. */
  renew(): Promise<void>
  /** Reads what a backend offers. It counts when the backend's state, read before, is InitWait. */
  read(backend: Backend): Promise<Offer>
  /**
   * Makes the rings for a backend, which is in state InitWait.
   * @param onBroken to be called after the link has closed itself
   * @throws XenError when memory, grants or ports are short
   */
  connect(backend: Backend, offer: Offer, onBroken: () => void): L
  /** The connection is to work from now on; it is started next. Returns what the log is to say of it. */
  connected(link: L): string
  /** It works. */
  up(): void
}
