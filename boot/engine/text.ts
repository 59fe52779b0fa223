/** wasm2c's output under edit: every step must find what it expects, as often as it must be there. */
import { EngineError } from './error.ts'
import { wasm2cVersion } from './wasm2c.ts'

export class Text {
  text: string
  constructor(text: string) {
    this.text = text
  }

  /** Replaces every match; there must be `times` of them, or at least one when it is not given. */
  replace(pattern: RegExp, to: string | ((...groups: string[]) => string), times?: number): void {
    let found = 0
    this.text = this.text.replace(new RegExp(pattern.source, `g${pattern.flags}`), (_match, ...groups) => {
      found++
      return typeof to === 'function' ? to(...groups) : to.replace(/\$(\d)/g, (_, group) => groups[group - 1])
    })
    if (times === undefined ? found === 0 : found !== times)
      unexpected(`${pattern} is there ${found} times, expected ${times ?? 'at least once'}`)
  }

  /** Removes the only match and returns its groups. */
  take(pattern: RegExp): string[] {
    let taken: string[] = []
    this.replace(
      pattern,
      (...groups) => {
        taken = groups
        return ''
      },
      1,
    )
    return taken
  }
}

/** A pattern of whole lines, each given as the source of a regular expression. */
export const lines = (...sources: string[]): RegExp => new RegExp(`^${sources.map(source => `${source}\\n`).join('')}`, 'm')

export function unexpected(what: string): never {
  const where = `the C that wasm2c ${wasm2cVersion} made of emscripten-module.wasm`
  throw new EngineError(
    `wasm2c's output is not as expected: ${what}.`,
    where,
    'boot/engine/translate.ts knows the output for the pinned package and version only: restore both, or adapt its steps.',
  )
}
