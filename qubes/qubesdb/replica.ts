/**
 * The qube's copy of its database, and the rules to keep it like dom0's (handle_vchan_data in qubes-core-qubesdb). Messages in,
 * changes and answers out; no I/O.
 */
import { ProtocolError } from '../supervise.ts'
import type { Text } from '../text.ts'
import { Copy } from './copy.ts'
import { textOf } from './value.ts'
import { encode, type Header, MULTIREAD, RESP_ERROR, RESP_ERROR_NOENT, RESP_MULTIREAD, RESP_OK, RM, WRITE } from './wire.ts'

/** A key that was written (again), or removed: then the value is undefined. So it is when there is no room for it. */
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

const NOTHING: Outcome = { changes: [] }

export class Replica {
  readonly #text: Text
  #copy = new Copy()
  /** While dom0 lists its keys: the copy that will replace the old one. */
  #fresh: Copy | undefined

  constructor(text: Text) {
    this.#text = text
  }

  get copy(): Pick<Copy, 'keys' | 'has' | 'isWhole' | 'describe'> {
    return this.#copy
  }

  /** A new connection: what to send first. The old keys stay readable until the new ones are complete. */
  connect(): Uint8Array {
    this.#fresh = new Copy()
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
        this.#fresh.put(path, this.#value(path, data))
        return NOTHING
      case WRITE:
        return { changes: [this.write(path, this.#value(path, data))], reply: encode(this.#text, RESP_OK, path) }
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

  /** A WRITE of dom0, or this qube's own, once dom0 said OK. */
  write(path: string, value: string): Change {
    return { path, value: this.#live().put(path, value) ? value : undefined }
  }

  /** Removes a key, or with a `/` at the end everything below. */
  remove(path: string): Change[] {
    return this.#live()
      .remove(path)
      .map(path => ({ path, value: undefined }))
  }

  #live(): Copy {
    if (this.#fresh !== undefined) throw new ProtocolError('QubesDB sent a change before it had listed its keys')
    return this.#copy
  }

  #value(path: string, data: Uint8Array): string {
    if (data.includes(0)) throw new ProtocolError(`QubesDB sent a value for '${path}' with a NUL byte in it`)
    return textOf(this.#text, data)
  }

  /** The list is complete: it replaces the old keys, and what differs from them is a change. */
  #complete(): Outcome {
    const old = this.#copy.keys
    this.#copy = this.#fresh!
    this.#fresh = undefined
    const fresh = this.#copy.keys
    const changes: Change[] = []
    for (const [path, value] of fresh) if (old.get(path) !== value) changes.push({ path, value })
    for (const path of old.keys()) if (!fresh.has(path)) changes.push({ path, value: undefined })
    return { changes, synced: true }
  }
}
