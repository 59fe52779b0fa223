/** Connections that become something else (RFC 9110 section 7.8): what HTTP must know of it, which is next to nothing. */
import type { HostFunctions } from '@xen-ts/runtime/machine'
import { HEAD, type ResponseHead } from '@xen-ts/runtime/web/slots'
import type { LimitedLog } from '../../limited.ts'
import type { ByteSocket, SocketHandler } from '../../socket.ts'
import type { Gathering } from './gathering.ts'

/** What has the connection from now on. */
export interface Upgraded extends SocketHandler {
  /** The connection asks this from now on. */
  opened(): void
  /** Called once a second. */
  tick(): void
  /** The server is to stop: it should come to its end. */
  drain(): void
}

export interface UpgradeMachine {
  readonly abi: HostFunctions
  readonly log: LimitedLog
  readonly gathering: Gathering
  /** Of the socket, when nothing waits to be taken. */
  readonly room: number
}

export interface Upgrade {
  /** For the Upgrade field. */
  readonly protocol: string
  /** The response is queued. */
  begin(socket: ByteSocket, machine: UpgradeMachine): Upgraded
  /** There is no connection to have. */
  fail(reason: string): void
}

const upgrades = new WeakMap<Response, Upgrade>()

/** A response with status 101, which a program cannot make: the connection is the upgrade's when it was sent. */
export function switchingProtocols(headers: Record<string, string>, upgrade: Upgrade): Response {
  const response = new Response(null, { headers })
  const own = response as { [HEAD]?: ResponseHead }
  if (own[HEAD] !== undefined) own[HEAD] = { ...own[HEAD], status: 101 }
  else Object.defineProperty(response, 'status', { value: 101 }) // Node's
  upgrades.set(response, upgrade)
  return response
}

export const upgradeOf = (response: Response): Upgrade | undefined => upgrades.get(response)

/** A request that asks for an upgrade as it cannot be had. A handler that throws it answers with it: that is no fault of the program. */
export class HandshakeError extends Error {
  override name = 'HandshakeError'
  /** What to answer: 400, 405 or 426. */
  readonly status: number
  readonly #fields: Record<string, string>

  constructor(status: number, message: string, fields: Record<string, string> = {}) {
    super(message)
    this.status = status
    this.#fields = fields
  }

  response(): Response {
    const headers: Record<string, string> = { 'content-type': 'text/plain; charset=utf-8', ...this.#fields }
    // RFC 9110 sections 15.5.6 and 15.5.22.
    if (this.status === 405) headers.allow = 'GET'
    if (this.status === 426) headers.upgrade = 'websocket'
    return new Response(`${this.status}: ${this.message}\n`, { status: this.status, headers })
  }
}
