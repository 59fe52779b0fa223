/** Punycode, RFC 3492: labels of international domain names in ASCII, without the `xn--`. */

// RFC 3492 section 5
const BASE = 36
const T_MIN = 1
const T_MAX = 26
const SKEW = 38
const DAMP = 700
const FIRST_BIAS = 72
const FIRST_CODE = 128
const digits = 'abcdefghijklmnopqrstuvwxyz0123456789'

/** Section 6.3. */
export function punycode(text: string): string {
  const codes = Array.from(text, character => character.codePointAt(0) as number)
  let result = codes
    .filter(code => code < 128)
    .map(code => String.fromCharCode(code))
    .join('')
  const basic = result.length
  if (basic > 0) result += '-'
  let handled = basic
  let code = FIRST_CODE
  let delta = 0
  let bias = FIRST_BIAS
  while (handled < codes.length) {
    const next = Math.min(...codes.filter(other => other >= code))
    delta += (next - code) * (handled + 1)
    code = next
    for (const other of codes) {
      if (other < code) delta++
      if (other !== code) continue
      let rest = delta
      for (let k = BASE; ; k += BASE) {
        const threshold = clamp(k - bias)
        if (rest < threshold) break
        result += digits[threshold + ((rest - threshold) % (BASE - threshold))]
        rest = Math.floor((rest - threshold) / (BASE - threshold))
      }
      result += digits[rest]
      bias = adapt(delta, handled + 1, handled === basic)
      delta = 0
      handled++
    }
    delta++
    code++
  }
  return result
}

/** Section 6.2; undefined when `text` is not punycode. */
export function unpunycode(text: string): string | undefined {
  const end = text.lastIndexOf('-')
  const codes = Array.from(end > 0 ? text.slice(0, end) : '', character => character.charCodeAt(0))
  let code = FIRST_CODE
  let index = 0
  let bias = FIRST_BIAS
  for (let at = end > 0 ? end + 1 : 0; at < text.length; ) {
    const before = index
    let weight = 1
    for (let k = BASE; ; k += BASE) {
      const digit = digits.indexOf(text[at++]?.toLowerCase() ?? '?')
      if (digit < 0) return undefined
      index += digit * weight
      const threshold = clamp(k - bias)
      if (digit < threshold) break
      weight *= BASE - threshold
    }
    bias = adapt(index - before, codes.length + 1, before === 0)
    code += Math.floor(index / (codes.length + 1))
    index %= codes.length + 1
    if (code > 0x10ffff) return undefined
    codes.splice(index++, 0, code)
  }
  return codes.map(code => String.fromCodePoint(code)).join('')
}

const clamp = (threshold: number): number => Math.min(T_MAX, Math.max(T_MIN, threshold))

/** Section 6.1. */
function adapt(delta: number, points: number, first: boolean): number {
  let rest = Math.floor(delta / (first ? DAMP : 2))
  rest += Math.floor(rest / points)
  let k = 0
  for (; rest > ((BASE - T_MIN) * T_MAX) / 2; k += BASE) rest = Math.floor(rest / (BASE - T_MIN))
  return k + Math.floor(((BASE - T_MIN + 1) * rest) / (rest + SKEW))
}
