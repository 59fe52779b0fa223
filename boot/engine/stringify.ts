/**
 * Bounds the depth of JSON.stringify. It looks at each level whether the value is one of those above it: the time grows with the square
 * of the depth. With 16 bytes of linear stack a level, 34,000 levels (which take 68 KB of JSON) were 11 s in which nothing else runs.
 * So the frame of the recursion is made larger, and what is nested more deeply is refused as other recursions are: with a stack
 * overflow.
 */
import { Text, unexpected } from './text.ts'
import type { WasmModule } from './wasm.ts'

/** Added to the frame of the recursion, bytes: 4,000 levels in 2 MiB of stack, which take 0.15 s. */
const added = 512

/** The function is the one that calls itself and throws "circular reference". */
export function boundStringify(c: Text, { data }: WasmModule): void {
  const message = Buffer.from('\0circular reference\0')
  const places = data.flatMap(({ address, bytes }) => {
    const at = Buffer.from(bytes).indexOf(message)
    return at < 0 ? [] : [address + at + 1]
  })
  if (places.length !== 1) unexpected(`"circular reference" is there ${places.length} times`)
  // js_json_to_str(context, its own record, holder or value, value or indentation)
  const functions = [...c.text.matchAll(/^(?:static )?\w+ (w2c_\w+)\(u32 \w+, u32 \w+, u64 \w+, u64 \w+\) \{\n[^]*?^\}\n/gm)]
  const found = functions.filter(([text, name]) => text.includes(` = ${places[0]}u;`) && text.split(`${name}(`).length > 2)
  if (found.length !== 1) unexpected(`JSON.stringify's recursion was found ${found.length} times`)
  const [text] = found[0]
  const body = new Text(text)
  const frame = /  w2c_i0 = engine_sp;\n  w2c_i1 = (\d+)u;\n  w2c_i0 -= w2c_i1;\n  (w2c_l\d+) = w2c_i0;\n/m
  const [size, pointer] = frame.exec(text)?.slice(1) ?? unexpected("JSON.stringify's recursion has no frame")
  const larger = Number(size) + added
  body.replace(
    frame,
    (bytes, local) => `  w2c_i0 = engine_sp;\n  w2c_i1 = ${Number(bytes) + added}u;\n  w2c_i0 -= w2c_i1;\n  ${local} = w2c_i0;\n`,
    1,
  )
  const end = new RegExp(String.raw`w2c_i0 = ${pointer};\n  w2c_i1 = ${size}u;\n  w2c_i0 \+= w2c_i1;\n  engine_sp = `, 'm')
  body.replace(end, () => `w2c_i0 = ${pointer};\n  w2c_i1 = ${larger}u;\n  w2c_i0 += w2c_i1;\n  engine_sp = `, 1)
  if (body.text.split('engine_sp = ').length !== 3) unexpected("JSON.stringify's recursion sets the stack pointer in other places too")
  c.text = c.text.replace(text, () => body.text)
}
