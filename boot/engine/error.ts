/** An error of the engine translation: what happened, where, and what to do about it. */
export class EngineError extends Error {
  constructor(what: string, where: string, todo: string) {
    super(`${what}\n  in ${where}\n  ${todo}`)
    this.name = 'EngineError'
  }
}

/** What to do when the engine package is not the one this was written for. */
export const restorePackage =
  'Restore the locked packages with `npm ci`; to move to another engine version, follow boot/engine/README.md, "Another version".'
