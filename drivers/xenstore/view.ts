/** What one reads and writes in xenstore by, outside of a transaction or inside. */

import type { Transaction, XenstoreConnection } from './connection.ts'
import { isCode, XenstoreError } from './error.ts'
import { decodeStrings, isValidPath, MessageType } from './wire.ts'

/** Who may do what with a key. The owner may always do everything. */
export interface Permissions {
  /** Domain id of the owner. */
  readonly owner: number
  /** What domains that are not listed may do. */
  readonly others: Access
  readonly peers?: readonly { readonly domid: number; readonly access: Access }[]
}
export type Access = 'none' | 'read' | 'write' | 'both'

const accessLetters: Readonly<Record<Access, string>> = { none: 'n', read: 'r', write: 'w', both: 'b' }

/** Bytes of the names in a directory. A domain may own 1,000 keys; the largest directory there is, of all domains, is far smaller. */
const MAX_LISTING = 1 << 20
/** Of a listing that changes while it is read. */
const MAX_ATTEMPTS = 100

/** Reading and writing, either directly or inside a transaction. Every method throws XenstoreError when the store refuses. */
export class XenstoreView {
  readonly #connection: XenstoreConnection
  readonly #transaction: Transaction | undefined

  /** @internal */
  constructor(connection: XenstoreConnection, transaction: Transaction | undefined) {
    this.#connection = connection
    this.#transaction = transaction
  }

  /** The value of a key, as text of one character a byte, up to the first NUL. */
  read(path: string): Promise<string> {
    return new Promise((resolve, reject) =>
      this.ask(path, (value, code) => {
        if (value === undefined) reject(this.#connection.error(MessageType.read, path.slice(0, 100), code))
        else resolve(value)
      }),
    )
  }

  /** The same, but undefined when there is no such key. */
  tryRead(path: string): Promise<string | undefined> {
    return new Promise((resolve, reject) =>
      this.ask(path, (value, code) => {
        if (value === undefined && code !== 'ENOENT') reject(this.#connection.error(MessageType.read, path.slice(0, 100), code))
        else resolve(value)
      }),
    )
  }

  /**
   * The same without a promise, which costs more than the rest of it. `answer` is called once, never in this call, but for what is refused
   * without the store: with the value, or undefined and the name of an errno.
   */
  ask(path: string, answer: (value: string | undefined, code: string) => void): void {
    if (!isValidPath(path)) return answer(undefined, 'EINVAL')
    const connection = this.#connection
    connection.ask(MessageType.read, this.#transaction, path, [path], undefined, (code, bytes, offset, length) => {
      if (code === undefined) answer(connection.machine.abi.latin1Decode(bytes, offset, length), '')
      else answer(undefined, code)
    })
  }

  /** Writes a key; missing parents are created. */
  async write(path: string, value: string): Promise<void> {
    await this.#request(MessageType.write, path, [], value)
  }

  /** Creates an empty key if there is none; missing parents are created. */
  async mkdir(path: string): Promise<void> {
    await this.#request(MessageType.mkdir, path)
  }

  /** Removes a key and everything below it. A key that does not exist is fine. */
  async remove(path: string): Promise<void> {
    try {
      await this.#request(MessageType.remove, path)
    } catch (error) {
      if (!isCode(error, 'ENOENT')) throw error
    }
  }

  /** Names of the keys directly below a key. */
  async directory(path: string): Promise<string[]> {
    const { abi } = this.#connection.machine
    try {
      return decodeStrings(abi, await this.#request(MessageType.directory, path))
    } catch (error) {
      if (!isCode(error, 'E2BIG')) throw error
      return this.#directoryInParts(path)
    }
  }

  async setPermissions(path: string, { owner, others, peers = [] }: Permissions): Promise<void> {
    const entries = [`${accessLetters[others]}${owner}`, ...peers.map(({ domid, access }) => `${accessLetters[access]}${domid}`)]
    await this.#request(MessageType.setPermissions, path, entries)
  }

  /** A listing of more than 4096 bytes comes in parts, each with the generation of the directory: a change in between means again. */
  async #directoryInParts(path: string): Promise<string[]> {
    const { abi } = this.#connection.machine
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const names: string[] = []
      let generation: string | undefined
      let offset = 0
      for (;;) {
        const payload = await this.#request(MessageType.directoryPart, path, [String(offset)])
        const [current, ...part] = decodeStrings(abi, payload)
        if (generation !== undefined && current !== generation) break
        generation = current
        // An empty name marks the end of the listing.
        const last = part.at(-1) === ''
        names.push(...(last ? part.slice(0, -1) : part))
        if (last || part.length === 0) return names
        offset += payload.length - current.length - 1
        if (offset > MAX_LISTING) throw new XenstoreError('directory', path, 'E2BIG')
      }
    }
    throw new XenstoreError('directory', path, 'EAGAIN')
  }

  #request(type: number, path: string, more: readonly string[] = [], tail?: string): Promise<Uint8Array> {
    if (!isValidPath(path)) return Promise.reject(new XenstoreError('a request with the path', path.slice(0, 100), 'EINVAL'))
    return this.#connection.request(type, this.#transaction, path, [path, ...more], tail)
  }
}
