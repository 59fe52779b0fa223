import test from 'ava'
import { engineNames, engineWasm } from './names.ts'
import { rewrite, translate } from './translate.ts'
import { readWasm } from './wasm.ts'
import { checkWasm2c, runWasm2c } from './wasm2c.ts'

const module = readWasm(engineWasm())
const output = runWasm2c(engineWasm())

test('the translation has every function by its name and nothing of the old runtime', async t => {
  const { source, header } = translate(engineWasm(), await engineNames())
  t.regex(source, /^u32 engine_QTS_Eval\(u32 p0, u32 p1, u32 p2, u32 p3, u32 p4, u32 p5\) \{ return w2c_\w+\(/m)
  t.regex(source, /\bimport_emscripten_resize_heap\(/)
  t.regex(header, /^u32 engine_QTS_Eval\(u32, u32, u32, u32, u32, u32\);$/m)
  t.regex(header, /^f64 import_emscripten_date_now\(void\);$/m)
  t.notRegex(source, /instance|wasm_rt|data_segment|FUNC_PROLOGUE/)
})

test('the table has the tracker in the slot behind the last', async t => {
  const { source } = translate(engineWasm(), await engineNames())
  const table = /engine_table\[(\d+)\] = \{\n([^]*?)\n\};/.exec(source)!
  const slots = table[2].split('\n')
  t.is(slots.length, Number(table[1]))
  t.is(slots.length, module.tableSize + 1)
  t.is(slots[0].trim(), '{0, 0},')
  t.regex(slots.at(-1)!, /engine_rejection/)
})

test("the frame of JSON.stringify's recursion is larger by half a KiB, at its start and at its end", async t => {
  const { source } = translate(engineWasm(), await engineNames())
  t.is(source.split(/ = 528u;\n +w2c_i0 [-+]= w2c_i1;\n/).length, 3)
})

test('nobody is asked whether to interrupt: the function is a constant, and all its callers call it still', async t => {
  const { source } = translate(engineWasm(), await engineNames())
  const [, name] = /^static u32 (w2c_\w+)\(u32 w2c_p0\) \{ return 0; \}$/m.exec(source)!
  t.true(source.split(`${name}(`).length > 10)
})

test('characters above U+007F are counted by a function of ours, in one place', async t => {
  const { source } = translate(engineWasm(), await engineNames())
  t.is(source.split(' = high_bytes(').length, 2)
})

test('every opcode has its own jump to the next, in both interpreters', async t => {
  const { source } = translate(engineWasm(), await engineNames())
  const tables = [...source.matchAll(/opcode_labels\[256\] = \{ (.*) \};/g)].map(([, labels]) => labels.split(', '))
  t.is(tables.length, 2)
  for (const labels of tables) t.is(new Set(labels).size, 256)
  t.true(source.split('goto *opcode_labels[').length > 200)
})

// What another wasm2c, or another .wasm, could change: each must be noticed.
const changes: Record<string, [pattern: RegExp | string, to: string]> = {
  'a second global': ['instance->w2c_g0;', 'instance->w2c_g1;'],
  'another name for the memory': [/instance->Z_aZ_a/g, 'instance->w2c_M0'],
  'a second table': ['instance->w2c_T0.data', 'instance->w2c_T1.data'],
  'another stack pointer': [/instance->w2c_g0 = \d+u;/, 'instance->w2c_g0 = 4096u;'],
  'an import without a name': ['(*Z_aZ_c)(', '(*Z_aZ_zz)('],
  'a table that is not full': [/^  \{17, .*\n/m, ''],
  'fewer types': [/func_types\[\d+\]/, 'func_types[7]'],
  'an export less': [/\/\* export: 'pa' \*\//, ''],
  'memory that grows by itself': ['(*instance->Z_aZ_a).pages', 'wasm_rt_grow_memory(instance->Z_aZ_a, 1)'],
  'another preamble': ['static bool s_module_initialized', 'static int s_module_initialized'],
  'another interpreter': ['          case 240: goto', '          case 240: return'],
  'an interpreter less': ['case 43: goto w2c_B20;\n      default: goto', 'case 43: goto w2c_B20;\n      default: return'],
  'an interpreter that fetches differently': [/load8_u(\(instance->Z_aZ_a, \(u64\)\(w2c_i0\)\);\n\s+w2c_l22)/, 'load16_u$1'],
  'another recursion of JSON.stringify': [/(w2c_i0 = w2c_l15;\n  w2c_i1 = )16u(;\n  w2c_i0 \+= w2c_i1;\n  instance->w2c_g0)/g, '$124u$2'],
  'another account of what is allocated': [/(w2c_i0 = w2c_p0;\n    w2c_i1 = w2c_l3;\n    w2c_i2 = )8u/, '$116u'],
  'another rule for the collector': [
    /(w2c_i1 >>= \(w2c_i2 & 31\);\n    w2c_i2 = w2c_l4;\n    w2c_i1 )\+(= w2c_i2;\n    i32_store\(\S+ \(u64\)\(w2c_i0\) \+ 108)/,
    '$1-$2',
  ],
  'another way to ask for interrupts': [/w2c_i1 = 10000u;/g, 'w2c_i1 = 20000u;'],
  'another message for interrupts': [/= 17633u;/g, '= 17634u;'],
  'another count of high bytes': [
    /(w2c_i1 = i32_load8_u\(instance->Z_aZ_a, \(u64\)\(w2c_i1\)\);\n\s+w2c_i2 = )7u(;\n\s+w2c_i1 >>=)/g,
    '$16u$2',
  ],
  'more at start-up': ['init_elem_instances(instance);\n', 'init_elem_instances(instance);\n  init_more(instance);\n'],
}
for (const [what, [pattern, to]] of Object.entries(changes)) {
  test(`changed wasm2c output is refused: ${what}`, async t => {
    const names = await engineNames()
    const changed = output.replace(pattern, to)
    t.not(changed, output, 'the change applies')
    const sentence = /output is not as expected: [^]*wasm2c 1\.0\.32[^]*translate\.ts/
    t.throws(() => rewrite(changed, module, names), { name: 'EngineError', message: sentence })
  })
}

test('another wasm2c is refused by its version', t => {
  t.throws(() => checkWasm2c('1.0.39'), { message: /wasm2c has version 1\.0\.32, expected 1\.0\.39[^]*apt install wabt/ })
})
