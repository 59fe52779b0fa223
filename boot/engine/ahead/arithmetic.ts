/** Numbers: integers of 32 bits where both are, and what the interpreter says for all else. */
import { operations } from './operations.ts'
import { asInteger, isInteger, type Value } from './stack.ts'
import type { BodyWriter } from './write.ts'

/** C that sets the s32 `r` from a and b, and a condition of C that it is right. */
type Both = (a: string, b: string) => { readonly work: string; readonly holds?: string }

function binary(name: string, both: Both): void {
  operations.set(name, (body: BodyWriter) => {
    const taken = body.integers(2)
    if (taken === undefined) return false
    const [a, b] = taken
    const { work, holds } = both(asInteger(a), asInteger(b))
    const [result, number] = [body.name(), body.name('i')]
    const sure = isInteger(a) === '1' && isInteger(b) === '1'
    if (sure && holds === undefined) {
      body.emit(`s32 r${number}; { s32 r; ${work} r${number} = r; } u32 ${number} = r${number};`)
      body.push({ kind: 'integer', name: number })
      return true
    }
    const conditions = [isInteger(a), isInteger(b)].filter(each => each !== '1')
    const start = conditions.length > 0 ? `if (!(${conditions.join(' && ')})) goto slow_${number}; ` : ''
    body.emit(`u64 ${result};`)
    body.emit(
      `{ s32 r; ${start}${work} ${holds ? `if (UNLIKELY(!(${holds}))) goto slow_${number}; ` : ''}${result} = (u64)(u32)r; } if (0) { slow_${number}: __attribute__((cold)); ${body.slowly(result, [a, b])} }`,
    )
    body.push({ kind: 'own', name: result })
    return true
  })
}

binary('add', (a, b) => ({ work: `u32 o = __builtin_add_overflow(${a}, ${b}, &r);`, holds: '!o' }))
binary('sub', (a, b) => ({ work: `u32 o = __builtin_sub_overflow(${a}, ${b}, &r);`, holds: '!o' }))
// A product of 0 may be -0.
binary('mul', (a, b) => ({ work: `u32 o = __builtin_mul_overflow(${a}, ${b}, &r);`, holds: '!o && r' }))
binary('mod', (a, b) => ({ work: `s32 x = ${a}, y = ${b}; u32 o = x < 0 || y <= 0; r = o ? 0 : (u32)x % (u32)y;`, holds: '!o' }))
binary('and', (a, b) => ({ work: `r = ${a} & ${b};` }))
binary('or', (a, b) => ({ work: `r = ${a} | ${b};` }))
binary('xor', (a, b) => ({ work: `r = ${a} ^ ${b};` }))
binary('shl', (a, b) => ({ work: `r = (s32)((u32)(${a}) << ((${b}) & 31));` }))
binary('sar', (a, b) => ({ work: `r = (${a}) >> ((${b}) & 31);` }))
binary('shr', (a, b) => ({ work: `r = (s32)((u32)(${a}) >> ((${b}) & 31));`, holds: 'r >= 0' }))

/** One more or one less; `post_` leaves what it was as well. */
function step(name: string, most: string, sign: string, keepsOld: boolean): void {
  operations.set(name, (body: BodyWriter) => {
    const taken = body.integers(1)
    if (taken === undefined) return false
    const [value] = taken
    const results = [body.name(), body.name()].slice(0, keepsOld ? 2 : 1)
    const changed = `(u64)(u32)(${asInteger(value)} ${sign} 1)`
    const fast = keepsOld ? `${results[0]} = (u64)(u32)(${asInteger(value)}); ${results[1]} = ${changed};` : `${results[0]} = ${changed};`
    const from = body.depth
    body.emit(`u64 ${results.join(', ')};`)
    body.emit(
      `if (LIKELY(${isInteger(value)} && ${asInteger(value)} != ${most})) { ${fast} } else { ${body.slow([value])} ${results.map((result, i) => `${result} = i64_load(SLOT(${from + i}));`).join(' ')} }`,
    )
    for (const result of results) body.push({ kind: 'own', name: result } satisfies Value)
    return true
  })
}
step('inc', '2147483647', '+', false)
step('dec', '(-2147483647 - 1)', '-', false)
step('post_inc', '2147483647', '+', true)
step('post_dec', '(-2147483647 - 1)', '-', true)

/** @param holds of the integer, besides that it is one */
function unary(name: string, result: (number: string) => string, holds?: (number: string) => string): void {
  operations.set(name, (body: BodyWriter) => {
    const taken = body.integers(1)
    if (taken === undefined) return false
    const [value] = taken
    const to = body.name()
    const number = asInteger(value)
    const condition = holds ? `${isInteger(value)} && ${holds(number)}` : isInteger(value)
    body.emit(`u64 ${to}; if (LIKELY(${condition})) ${to} = (u64)(u32)${result(number)}; else { ${body.slowly(to, [value])} }`)
    body.push({ kind: 'own', name: to })
    return true
  })
}
unary(
  'neg',
  number => `-(${number})`,
  number => `${number} != 0 && ${number} != (-2147483647 - 1)`,
)
unary('not', number => `~(${number})`)
