/**
 * The qube's copy of its database, and the rules to keep it like dom0's (handle_vchan_data in qubes-core-qubesdb). Messages in,
 * changes and answers out; no I/O.
 */
import { ProtocolError } from '../supervise.ts'
import type { Text } from '../text.ts'
import { encode, type Header, MULTIREAD, RESP_ERROR, RESP_ERROR_NOENT, RESP_MULTIREAD, RESP_OK, RM, WRITE } from './wire.ts'

/** A key that was written (again), or removed: then the value is undefined. */
export interface Change {
  readonly path: string
  readonly value: string | undefined
}

export interface Outcome {
  readonly changes: readonly Change[]
  /** To be sent to dom0. */
  readonly reply?: Uint8Array
  /** The first copy is complete. */
  readonly synced?: boolean
  /** dom0's verdict on this qube's own WRITE or RM. */
  readonly verdict?: { readonly path: string; readonly ok: boolean }
}

/** UTF-16 units of all paths and values together: far above any real database, far below this domain's memory. */
const LIMIT = 1 << 20
const NOTHING: Outcome = { changes: [] }

export class Replica {
  readonly #text: Text
  #keys = new Map<string, string>()
  /** While dom0 lists its keys: the map that will replace the old one. */
  #fresh: Map<string, string> | undefined
  #size = 0

  constructor(text: Text) {
    this.#text = text
  }

  get keys(): ReadonlyMap<string, string> {
    return this.#keys
  }

  /** A new connection: what to send first. The old keys stay readable until the new ones are complete. */
  connect(): Uint8Array {
    this.#fresh = new Map()
    this.#size = 0
    return encode(this.#text, MULTIREAD, '')
  }

  /**
   * @param data exactly `header.length` bytes
   * @throws ProtocolError when the message does not fit the conversation
   */
  receive(header: Header, data: Uint8Array): Outcome {
    const { type, path } = header
    switch (type) {
      case RESP_MULTIREAD:
        if (this.#fresh === undefined) throw new ProtocolError(`QubesDB listed '${path}', but nothing was asked`)
        if (path === '') return this.#complete()
        this.#put(this.#fresh, path, data)
        return NOTHING
      case WRITE:
        return { changes: [this.#put(this.#live(), path, data)], reply: encode(this.#text, RESP_OK, path) }
      case RM:
        return { changes: this.remove(path), reply: encode(this.#text, RESP_OK, path) }
      case RESP_OK:
        return { changes: [], verdict: { path, ok: true } }
      case RESP_ERROR:
      case RESP_ERROR_NOENT:
        return { changes: [], verdict: { path, ok: false } }
      default:
        throw new ProtocolError(`QubesDB sent a message of type ${type}`)
    }
  }

  /** Takes over this qube's own WRITE, once dom0 said OK. */
  write(path: string, value: string): Change {
    return this.#store(this.#live(), path, value)
  }

  /** Removes a key, or with a `/` at the end everything below. */
  remove(path: string): Change[] {
    const keys = this.#live()
    const gone = path.endsWith('/') ? [...keys.keys()].filter(key => key.startsWith(path)) : keys.has(path) ? [path] : []
    for (const key of gone) {
      this.#size -= key.length + keys.get(key)!.length
      keys.delete(key)
    }
    return gone.map(path => ({ path, value: undefined }))
  }

  #live(): Map<string, string> {
    if (this.#fresh !== undefined) throw new ProtocolError('QubesDB sent a change before it had listed its keys')
    return this.#keys
  }

  #put(keys: Map<string, string>, path: string, data: Uint8Array): Change {
    if (data.includes(0)) throw new ProtocolError(`QubesDB sent a value for '${path}' with a NUL byte in it`)
    return this.#store(keys, path, this.#text.decode(data))
  }

  #store(keys: Map<string, string>, path: string, value: string): Change {
    const old = keys.get(path)
    this.#size += value.length + (old === undefined ? path.length : -old.length)
    if (this.#size > LIMIT) throw new ProtocolError(`QubesDB has more than ${LIMIT} characters of keys and values`)
    keys.set(path, value)
    return { path, value }
  }

  /** The list is complete: it replaces the old keys, and what differs from them is a change. */
  #complete(): Outcome {
    const old = this.#keys
    const fresh = (this.#keys = this.#fresh!)
    this.#fresh = undefined
    const changes: Change[] = []
    for (const [path, value] of fresh) if (old.get(path) !== value) changes.push({ path, value })
    for (const path of old.keys()) if (!fresh.has(path)) changes.push({ path, value: undefined })
    return { changes, synced: true }
  }
}
