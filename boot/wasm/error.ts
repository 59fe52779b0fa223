/** A module that cannot be compiled into an image: what happened, and what to do about it. Where, knows the caller. */
export class WasmError extends Error {
  override name = 'WasmError'
  readonly todo: string
  constructor(what: string, todo: string) {
    super(what)
    this.todo = todo
  }
}
