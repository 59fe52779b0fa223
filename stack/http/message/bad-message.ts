/** A message that is refused: what it says cannot be relied on, nor can anybody say where the next one on its connection begins. */
export class BadMessage {
  /** What a server answers to it. */
  readonly status: number
  /** What is wrong, as the end of a sentence. */
  readonly reason: string

  constructor(status: number, reason: string) {
    this.status = status
    this.reason = reason
  }
}
