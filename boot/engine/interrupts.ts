/**
 * No interrupt handler: QuickJS looks at every call and every jump back whether it is time to ask one. Nobody sets one in a guest, where nothing
 * could run beside the engine, so the answer is a constant, and gcc leaves the question out: a fiftieth of a request's instructions.
 *
 * QTS_RuntimeEnableInterruptHandler changes nothing in the native engine. A regular expression asks by a function of its own, which stays.
 */
import { lines, type Text, unexpected } from './text.ts'
import type { WasmModule } from './wasm.ts'

const load = (to: number, from: string, offset: string) => [
  String.raw`\s+w2c_i${to} = ${from};`,
  String.raw`\s+w2c_i${to} = i32_load\(\(u64\)\(w2c_i${to}\) \+ ${offset}u\);`,
]
const set = (to: string, value: string) => String.raw`\s+${to} = ${value};`

/** js_poll_interrupts(context): counts down in the context, and at the end asks the handler in the runtime, if there is one. */
const poll = lines(
  String.raw`static u32 (w2c_\w+)\(u32 w2c_p0\) \{`,
  '  u32 w2c_l1 = 0, w2c_l2 = 0, w2c_l3 = 0;',
  '  u32 w2c_i0, w2c_i1, w2c_i2;',
  set('w2c_i0', 'w2c_p0'),
  ...load(1, 'w2c_p0', String.raw`(\d+)`),
  set('w2c_l1', 'w2c_i1'),
  set('w2c_i2', '1u'),
  String.raw`\s+w2c_i1 -= w2c_i2;`,
  String.raw`\s+i32_store\(\(u64\)\(w2c_i0\) \+ \2, w2c_i1\);`,
  set('w2c_i0', 'w2c_l1'),
  set('w2c_i1', '1u'),
  String.raw`\s+w2c_i0 = \(u32\)\(\(s32\)w2c_i0 <= \(s32\)w2c_i1\);`,
  String.raw`\s+if \(w2c_i0\) \{`,
  set('w2c_i0', '0u'),
  set('w2c_l1', 'w2c_i0'),
  set('w2c_i0', 'w2c_p0'),
  set('w2c_i1', '10000u'),
  String.raw`\s+i32_store\(\(u64\)\(w2c_i0\) \+ \2, w2c_i1\);`,
  ...load(0, 'w2c_p0', String.raw`\d+`),
  set('w2c_l2', 'w2c_i0'),
  String.raw`\s+w2c_i0 = i32_load\(\(u64\)\(w2c_i0\) \+ (\d+)u\);`,
  set('w2c_l3', 'w2c_i0'),
  String.raw`\s+w2c_i0 = !\(w2c_i0\);`,
  String.raw`\s+if \(w2c_i0\) \{goto w2c_B1;\}`,
  set('w2c_i0', 'w2c_l2'),
  ...load(1, 'w2c_l2', String.raw`(\d+)`),
  set('w2c_i2', 'w2c_l3'),
  String.raw`\s+w2c_i0 = CALL_INDIRECT\(.*, w2c_i2, w2c_i0, w2c_i1\);`,
  String.raw`\s+w2c_i0 = !\(w2c_i0\);`,
  String.raw`\s+if \(w2c_i0\) \{goto w2c_B1;\}`,
  set('w2c_i0', 'w2c_p0'),
  String.raw`\s+(w2c_\w+)\(w2c_i0\);`,
  set('w2c_i0', '4294967295u'),
  set('w2c_l1', 'w2c_i0'),
  String.raw`\s+w2c_B1:;`,
  set('w2c_i0', 'w2c_l1'),
  String.raw`\s+\} else \{`,
  set('w2c_i0', '0u'),
  String.raw`\s+\}`,
  String.raw`\s+return w2c_i0;`,
  String.raw`\}`,
)

/** @throws EngineError unless the function is the one that throws "interrupted" */
export function neverInterrupt(c: Text, { data }: WasmModule): void {
  const message = Buffer.from('\0interrupted\0')
  const places = data.flatMap(({ address, bytes }) => {
    const at = Buffer.from(bytes).indexOf(message)
    return at < 0 ? [] : [address + at + 1]
  })
  if (places.length !== 1) unexpected(`"interrupted" is there ${places.length} times`)
  c.replace(
    poll,
    (name, _counter, handler, opaque, thrower) => {
      if (Number(opaque) !== Number(handler) + 4) unexpected(`${name} does not look at a handler in the runtime`)
      const body = new RegExp(String.raw`^static void ${thrower}\(u32 w2c_p0\) \{\n[^]*?^\}`, 'm').exec(c.text)?.[0]
      if (!body?.includes(` = ${places[0]}u;`)) unexpected(`${name} does not throw "interrupted"`)
      return `static u32 ${name}(u32 w2c_p0) { return 0; }\n`
    },
    1,
  )
}
