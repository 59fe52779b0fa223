/**
 * JS_ToCString counts the characters above U+007F of a string with eight bits a character, to know how long its UTF-8 is: a byte at a time, for
 * every text that goes to the host. Here eight at a time (operations.h), a fiftieth of the instructions of a request with a small page.
 */
import type { Text } from './text.ts'

const set = (to: number, value: string) => String.raw`\s+w2c_i${to} = ${value};\n`
const add = String.raw`\s+w2c_i(\d) \+= w2c_i\d;\n`

/** `for (at = 0; at != length; at++) count += text[at] >> 7`, and what comes in front and behind. */
const loop = new RegExp(
  [
    String.raw`^\s+w2c_i0 = 0u;\n\s+(w2c_\w+) = w2c_i0;\n\s+(w2c_L\d+): \n`, // count
    set(0, String.raw`(w2c_\w+)`), // at
    set(1, String.raw`(w2c_\w+)`), // length
    String.raw`\s+w2c_i0 = w2c_i0 == w2c_i1;\n\s+w2c_i0 = !\(w2c_i0\);\n\s+if \(w2c_i0\) \{\n`,
    set(0, String.raw`\1`),
    set(1, String.raw`\3`),
    set(2, String.raw`(w2c_\w+)`), // text
    add,
    String.raw`\s+w2c_i1 = i32_load8_u\(\(u64\)\(w2c_i1\)\);\n`,
    set(2, '7u'),
    String.raw`\s+w2c_i1 >>= \(w2c_i2 & 31\);\n`,
    add,
    String.raw`\s+\1 = w2c_i0;\n`,
    set(0, String.raw`\3`),
    set(1, '1u'),
    add,
    String.raw`\s+\3 = w2c_i0;\n\s+goto \2;\n\s+\}\n`,
  ].join(''),
  'm',
)

/** The loop begins at the text's first character: what was set to 0 in front of it stays. */
export function countHighBytes(c: Text): void {
  c.replace(
    loop,
    (count, _label, at, length, text) =>
      `\n      ${count} = high_bytes(${text} + (u64)${at}, ${length} - ${at});\n      ${at} = ${length};\n`,
    1,
  )
}
