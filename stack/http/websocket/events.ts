/** What a WebSocket tells a program: https://html.spec.whatwg.org/#messageevent , https://websockets.spec.whatwg.org/#closeevent */
import { Event } from '@xen-ts/runtime/web'

export class MessageEvent extends Event {
  /** Text, or an ArrayBuffer. */
  readonly data: string | ArrayBuffer

  constructor(data: string | ArrayBuffer) {
    super('message')
    this.data = data
  }
}

export class CloseEvent extends Event {
  /** 1005 when the client gave none, 1006 when the connection broke. */
  readonly code: number
  readonly reason: string
  /** Both sides have said that it is over. */
  readonly wasClean: boolean

  constructor(code: number, reason: string, wasClean: boolean) {
    super('close')
    this.code = code
    this.reason = reason
    this.wasClean = wasClean
  }
}

export class WebSocketErrorEvent extends Event {
  readonly message: string

  constructor(message: string) {
    super('error')
    this.message = message
  }
}
