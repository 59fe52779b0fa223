/** Source maps (ECMA-426) of code that lies where its source does. */
import type { Stripped } from './strip.ts'

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** ECMA-426 section 6.2: base 64, the sign in the lowest bit of the first digit, the highest bit of each says that more follow. */
function vlq(value: number): string {
  let rest = value < 0 ? (-value << 1) | 1 : value << 1
  let text = ''
  do {
    const digit = rest & 31
    rest >>>= 5
    text += DIGITS[rest > 0 ? digit | 32 : digit]
  } while (rest > 0)
  return text
}

/** Each word and each sign is mapped: who looks up a place gets the one of the last mapping before it. */
export function sourceMap(name: string, source: string, { code, directive }: Stripped): Record<string, unknown> {
  const shifted = code.slice(0, directive.at).split('\n').length - 1
  let [sourceLine, sourceColumn] = [0, 0]
  const mappings = source.split('\n').map((text, line) => {
    let column = 0
    const segments: string[] = []
    for (const { index } of text.matchAll(/[\w$]+|[^\s\w$]/g)) {
      const generated = index + (line === shifted ? directive.length : 0)
      segments.push(vlq(generated - column) + vlq(0) + vlq(line - sourceLine) + vlq(index - sourceColumn))
      ;[column, sourceLine, sourceColumn] = [generated, line, index]
    }
    return segments.join(',')
  })
  return { version: 3, file: `${name}.js`, sources: [`${name}.ts`], sourcesContent: [source], names: [], mappings: mappings.join(';') }
}
