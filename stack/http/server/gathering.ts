/** What clients send is being gathered until it is whole: bodies that are read as one, and messages of WebSockets. All of it has one bound. */
export class Gathering {
  /** Bytes that are held so. */
  bytes = 0
  readonly #most: number

  /** `most` bytes at a time. */
  constructor(most: number) {
    this.#most = most
  }

  /** Whoever has added the last of them is to let go of his. At least one that is as long as it may be, `longest`, has room. */
  isTooMuch(longest: number): boolean {
    return this.bytes > this.#most && this.bytes > longest
  }
}
