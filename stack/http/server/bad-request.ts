/** A request that is answered without the handler, and then the connection is closed: nobody knows where the next one begins. */
export class BadRequest {
  readonly status: number
  /** One sentence for the client's author. */
  readonly reason: string

  constructor(status: number, reason: string) {
    this.status = status
    this.reason = reason
  }
}
