/** The engine's side of compiled bodies: JS_CallInternal calls them, and goes on with frames that they have left. */
import { interpreterName } from '../stencils/roles.ts'
import { type Text, unexpected } from '../text.ts'

const statements = (...lines: string[]): RegExp => new RegExp(lines.map(line => `\\s+${line.replace(/[()+*[\]{}]/g, '\\$&')}`).join(''))

/** Edits the interpreter. */
export function bindCalls(interpreter: Text): void {
  // A function of bytecode is called: the flags are in p6, and l24 is the frame.
  interpreter.replace(
    /^ {2}(w2c_B4):;\n(?=\s+w2c_i0 = w2c_l33;\s+w2c_i0 = i32_load\(\(u64\)\(w2c_i0\) \+ 128u\);)/m,
    label => `  ${label}:; {
    native_entry *entry = native_entry_of(w2c_p1);
    if (LIKELY(entry)) {
      engine_sp = w2c_l24 + NATIVE_FRAME;
      w2c_l7 = entry(w2c_p1, w2c_p2, w2c_p3, w2c_p4, w2c_p5, w2c_p6 & 2);
      goto w2c_B0;
    }
  }
`,
    1,
  )
  // A frame goes on: p6 is what it belongs to, l32 its arguments, l34 the first of its values.
  interpreter.replace(
    new RegExp(
      `${statements('w2c_i0 = w2c_l32;', 'w2c_l34 = w2c_i0;', 'w2c_i0 = w2c_l19;', 'w2c_l17 = w2c_i0;').source}${statements('w2c_i0 = w2c_p6;', 'w2c_i0 = i32_load((u64)(w2c_i0) + 28u);', 'w2c_i0 = !(w2c_i0);').source}`,
    ),
    () => `
    w2c_l34 = native_locals(w2c_p6, w2c_l32);
    w2c_l17 = w2c_l19;
    w2c_i0 = !native_throws(w2c_p6);`,
    1,
  )
}

/** call.h with the names of the engine's functions that it needs. */
export function callHeader(engine: string): string {
  const find = (what: string, pattern: RegExp) => pattern.exec(engine)?.[1] ?? unexpected(`the interpreter does not ${what}`)
  const close = find(
    'close references to variables',
    /w2c_i0 = i32_load16_u\(\(u64\)\(w2c_i0\) \+ 48u\);\s+if \(w2c_i0\) \{\s+w2c_i0 = w2c_l33;\s+w2c_i1 = w2c_l28;\s+w2c_i2 = w2c_l25;\s+(w2c_f\d+)\(w2c_i0, w2c_i1, w2c_i2\);/,
  )
  const overflow = find(
    'refuse to call too deep',
    /w2c_l32 = w2c_i2;\s+w2c_i1 -= w2c_i2;\s+w2c_i0 = w2c_i0 > w2c_i1;\s+if \(w2c_i0\) \{\s+w2c_i0 = w2c_p0;\s+(w2c_f\d+)\(w2c_i0\);/,
  )
  const type = find(
    'call functions of classes',
    /CALL_INDIRECT\(engine_table, u64 \(\*\)\(u32, u64, u64, u32, u32, u32\), (\d+), w2c_i6, w2c_i0, w2c_j1, w2c_j2, w2c_i3, w2c_i4, w2c_i5\);\s+w2c_l7 = w2c_j0;\s+goto w2c_B0;/,
  )
  const slots = find('have a table', /^static const struct engine_function engine_table\[(\d+)\] = \{$/m)
  const declared = [interpreterName, close, overflow].map(name => {
    const [line] = new RegExp(String.raw`^static [^;{]*\b${name}\([^;{]*\);$`, 'm').exec(engine) ?? unexpected(`${name} is not declared`)
    return `${line}\n`
  })
  return `${declared.join('')}#define NATIVE_INTERPRETER ${interpreterName}
#define NATIVE_CLOSE ${close}
#define NATIVE_OVERFLOW ${overflow}
#define NATIVE_CALL_TYPE ${type}
static const struct engine_function engine_table[${slots}];
#include "call.h"
`
}
