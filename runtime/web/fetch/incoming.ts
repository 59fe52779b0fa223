/**
 * A body that is still coming in, as a server hands it to a Request: read whole without a stream in between, or piece by piece where the
 * program asks for the stream. One that was read, or given up, is read no further by anybody else.
 */
export abstract class IncomingBody {
  /** All of it, up to a limit that its maker knows. Rejects when it is larger, or does not come to its end. */
  abstract gather(): Promise<Uint8Array<ArrayBuffer>>
  /** What has come, or the next that comes; undefined at the end. One read at a time. Who reads has the bytes for good. */
  abstract read(): Promise<Uint8Array<ArrayBuffer> | undefined>
  /** Nobody wants the rest. */
  abstract cancel(reason: unknown): void
}

/** What two requests have of one body, in an image without streams: it is gathered once, for both. */
export class SharedBody extends IncomingBody {
  readonly #body: IncomingBody
  #whole: Promise<Uint8Array<ArrayBuffer>> | undefined

  constructor(body: IncomingBody) {
    super()
    this.#body = body
  }

  async gather(): Promise<Uint8Array<ArrayBuffer>> {
    return (await (this.#whole ??= this.#body.gather())).slice()
  }

  /** @throws TypeError always: there are no streams that could read it */
  read(): never {
    throw new TypeError('this image has no streams: name ReadableStream in the program, and build it again')
  }

  cancel(): void {}
}
