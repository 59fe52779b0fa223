/**
 * Where a vchan is found: the path scheme of Qubes. A server writes `data/vchan/<client domid>/<port>/ring-ref` and
 * `.../event-channel` below its own directory, readable for that client only.
 */

import { isCode, parseDecimal, type Xenstore, XenstoreError } from '@xen-ts/drivers'
import type { Vchans } from './index.ts'

export interface Keys {
  /** Grant reference of the control page. */
  readonly ringRef: number
  /** Event channel port of the server. */
  readonly eventChannel: number
}

const MAX_GRANT_REFERENCE = 0xffffffff
const MAX_PORT = 0x1ffff // FIFO event channels

const ownDirectory = (client: number): string => `data/vchan/${client}`
const serverDirectory = (server: number, client: number, port: number): string => `/local/domain/${server}/data/vchan/${client}/${port}`

/** The key a client watches: the directories above it are not readable for it. */
export const eventChannelKey = (server: number, client: number, port: number): string =>
  `${serverDirectory(server, client, port)}/event-channel`

/**
 * Lets one server after the other change what is below `data/vchan`. They all write to the same directories: of several transactions at
 * a time the store would refuse all but one, each time.
 */
export class KeyQueue {
  /** By path, whose keys are there. Nobody else writes there, so this need not be asked of the store. */
  readonly published = new Map<string, Keys>()
  #last: Promise<unknown> = Promise.resolve()

  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work)
    this.#last = result.catch(() => {})
    return result
  }
}

/** Both keys appear at once, with their permissions, so that a client never sees half of them. */
export async function publishKeys({ xenstore, keyQueue }: Vchans, client: number, port: number, keys: Keys): Promise<void> {
  const path = `${ownDirectory(client)}/${port}`
  await keyQueue.run(() => {
    keyQueue.published.set(path, keys)
    return xenstore.transaction(async view => {
      const owner = Number(await view.read('domid'))
      await Promise.all(
        [
          ['ring-ref', keys.ringRef],
          ['event-channel', keys.eventChannel],
        ].flatMap(([name, value]) => [
          view.write(`${path}/${name}`, String(value)),
          view.setPermissions(`${path}/${name}`, { owner, others: 'none', peers: [{ domid: client, access: 'read' }] }),
        ]),
      )
    })
  })
}

/** Removes our keys, and the client's directory when they were the last in it. Keys of a newer server stay. Never rejects. */
export async function withdrawKeys({ machine, xenstore, keyQueue }: Vchans, client: number, port: number, keys: Keys): Promise<void> {
  const directory = ownDirectory(client)
  const path = `${directory}/${port}`
  try {
    await keyQueue.run(async () => {
      if (keyQueue.published.get(path) !== keys) return
      keyQueue.published.delete(path)
      const [, others] = await Promise.all([xenstore.remove(path), xenstore.directory(directory)]) // answered in this order
      if (others.length === 0) await xenstore.remove(directory)
    })
  } catch (error) {
    if (isCode(error, 'ENOENT')) return // they went with the world they were published in
    machine.log('vchan').warn(`vchan ${client}:${port}: its keys could not be removed: ${(error as Error).message}`)
  }
}

type Found = (keys: Keys | undefined, error: XenstoreError | undefined) => void

/**
 * What a server published, or undefined when there is nothing complete and valid.
 * @param both whether they are likely to be there: then both keys are asked for at once
 */
export function readKeys(xenstore: Xenstore, server: number, client: number, port: number, both: boolean, found: Found): void {
  const directory = serverDirectory(server, client, port)
  const read = new ReadKeys(found)
  const ringRef = (): void => {
    const path = `${directory}/ring-ref`
    xenstore.ask(path, (value, code) => read.ringRef(numberOf(value, MAX_GRANT_REFERENCE), path, code))
  }
  if (both) ringRef()
  const path = `${directory}/event-channel`
  xenstore.ask(path, (value, code) => {
    const eventChannel = numberOf(value, MAX_PORT)
    if (!both && eventChannel !== undefined) ringRef()
    else if (!both) read.ringRef(undefined, path, code)
    read.eventChannel(eventChannel, path, code)
  })
}

/** Waits for both answers. */
class ReadKeys {
  readonly #found: Found
  #left = 2
  #ringRef: number | undefined
  #eventChannel: number | undefined
  #error: XenstoreError | undefined

  constructor(found: Found) {
    this.#found = found
  }

  ringRef(value: number | undefined, path: string, code: string): void {
    this.#ringRef = value
    this.#answered(path, code)
  }

  eventChannel(value: number | undefined, path: string, code: string): void {
    this.#eventChannel = value
    this.#answered(path, code)
  }

  #answered(path: string, code: string): void {
    // While nothing is published, the store says that what is above may not be read rather than that there is nothing.
    if (code !== '' && code !== 'ENOENT' && code !== 'EACCES') this.#error ??= new XenstoreError('read', path, code)
    if (--this.#left > 0) return
    const [ringRef, eventChannel] = [this.#ringRef, this.#eventChannel]
    this.#found(ringRef !== undefined && eventChannel !== undefined ? { ringRef, eventChannel } : undefined, this.#error)
  }
}

/** From 1 on; 0 is no reference and no port. */
const numberOf = (value: string | undefined, max: number): number | undefined => parseDecimal(value, max) || undefined
