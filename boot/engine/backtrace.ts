/**
 * QuickJS makes the stack trace of an error without a reference of its own to it. When memory ends meanwhile, the error of that takes the place of the first one, which is
 * freed, and then gets its trace all the same. Here the first one is kept until that is done.
 */
import { type Text, unexpected } from './text.ts'

const line = (text: string): string => String.raw`\s+${text.replace(/[()+*[\]{}]/g, '\\$&')}`
/** Where the interpreter has an exception makes its trace, in JS_CallInternal: the only call without a place of its own. */
const call = new RegExp(
  ['w2c_j1 = w2c_l7;', 'w2c_i2 = 0u;', 'w2c_i3 = 0u;', 'w2c_i4 = 0u;', 'w2c_i5 = 0u;'].map(line).join('') +
    String.raw`\s+(w2c_f\d+)\(w2c_i0, w2c_j1, w2c_i2, w2c_i3, w2c_i4, w2c_i5\);\s+w2c_B746:;`,
)
/** JS_FreeValue, as the values above a handler of exceptions are freed. */
const free = new RegExp(
  `${['w2c_j1 = i64_load((u64)(w2c_i1));', 'w2c_l7 = w2c_j1;'].map(line).join('')}${String.raw`\s+(w2c_f\d+)\(w2c_i0, w2c_j1\);`}`,
)
const counted = '18446744035054845952ull'

/** Edits build_backtrace(context, error, ...). */
export function keepError(c: Text): void {
  const [, name] = call.exec(c.text) ?? unexpected('the interpreter makes no stack traces')
  const [, drop] = free.exec(c.text.slice(c.text.indexOf('w2c_B746:;'))) ?? unexpected('the interpreter frees no values')
  const parameters = 'u32 w2c_p0, u64 w2c_p1, u32 w2c_p2, u32 w2c_p3, u32 w2c_p4, u32 w2c_p5'
  c.replace(
    new RegExp(String.raw`^static void ${name}\(${parameters}\) \{$`, 'm'),
    () => `static void ${name}_of(${parameters});
static void ${name}(${parameters}) {
  if (w2c_p1 >= ${counted}) i32_store((u32)w2c_p1, i32_load((u32)w2c_p1) + 1);
  ${name}_of(w2c_p0, w2c_p1, w2c_p2, w2c_p3, w2c_p4, w2c_p5);
  ${drop}(w2c_p0, w2c_p1);
}
static void ${name}_of(${parameters}) {`,
    1,
  )
}
