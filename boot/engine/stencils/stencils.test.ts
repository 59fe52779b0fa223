/** From the interpreter's text to pieces: the flow graph, what is known, and that all opcodes have what they need. */
import test from 'ava'
import { engineNames, engineWasm } from '../names.ts'
import { translate } from '../translate.ts'
import { readGraph, statement } from './graph.ts'
import { accessOf, type Environment, evaluate } from './symbolic.ts'

const body = `
  w2c_i0 = w2c_l1;
  if (w2c_i0) {
    w2c_l2 = w2c_i0;
    if (w2c_l2) {goto w2c_B1;}
    goto w2c_B0;
  } else {
    w2c_l3 = w2c_i0; goto w2c_B1;
  }
  w2c_B1:;
  w2c_l4 = w2c_l3;
  goto *opcode_labels[i32_load8_u(w2c_l21)];
  opcode_0:;
  w2c_i0 = w2c_l9;
  w2c_l5 = w2c_i0;
  w2c_B0:;
  return w2c_l4;
}
`

test('the graph of a text: blocks, jumps, and what is live', t => {
  const { blocks, live } = readGraph(body, 'w2c_l21')
  const entry = blocks.get('entry')!
  t.is(entry.end.kind, 'if')
  t.deepEqual([...live.get('entry')!].sort(), ['w2c_l1', 'w2c_l21', 'w2c_l3', 'w2c_l4', 'w2c_l9'])
  t.deepEqual([...live.get('w2c_B1')!].sort(), ['w2c_l21', 'w2c_l3', 'w2c_l9'])
  t.deepEqual([...live.get('opcode_0')!].sort(), ['w2c_l4', 'w2c_l9'])
  t.is(blocks.get('w2c_B1')!.end.kind, 'dispatch')
  t.deepEqual(blocks.get('opcode_0')!.end, { kind: 'goto', to: 'w2c_B0' })
})

test('a text that is not understood is refused', t => {
  t.throws(() => readGraph(body.replace('goto w2c_B0;\n', 'goto w2c_B7;\n'), 'w2c_l21'), { message: /jumps from part_\d+ to w2c_B7/ })
  t.throws(() => readGraph(body.replace('w2c_l5 = w2c_i0;', 'for (;;) w2c_l5 = w2c_i0;'), 'w2c_l21'), { message: /has the line for/ })
  t.throws(() => readGraph(body.replace('  w2c_l4 = w2c_l3;', 'if (w2c_l3) {'), 'w2c_l21'), { message: /does not end/ })
  t.throws(() => readGraph(body.replace('w2c_B0:;', 'w2c_B1:;'), 'w2c_l21'), { message: /has the label w2c_B1 twice/ })
})

const isWord = () => true
/** What is known of the last variable after these statements. */
function after(start: Record<string, string>, ...texts: string[]) {
  const known: Environment = new Map(Object.entries(start).map(([name, base]) => [name, { base, offset: 0 }]))
  const last = texts.map(statement).map(each => {
    const what = evaluate(each, known, isWord)
    if (what) known.set(each.defines!, what)
    else known.delete(each.defines!)
    return what
  })
  return last.at(-1)
}

test('addresses and operands are followed through the text', t => {
  const stack = { w2c_l17: 'sp', w2c_p6: 'pc', w2c_l29: 'var' }
  t.deepEqual(after(stack, 'w2c_i0 = w2c_l17;', 'w2c_i1 = 8u;', 'w2c_i0 -= w2c_i1;'), { base: 'sp', offset: -8 })
  const index = ['w2c_i1 = w2c_p6;', 'w2c_i1 = i32_load16_u((u64)(w2c_i1) + 1u);', 'w2c_i2 = 3u;', 'w2c_i1 <<= (w2c_i2 & 31);']
  const variable = after(stack, ...index, 'w2c_i0 = w2c_l29;', 'w2c_i0 += w2c_i1;')
  t.deepEqual(variable, { base: 'var', offset: 0, operand: { load: 'i32_load16_u', at: 1, shift: 3 } })
  t.is(after(stack, 'w2c_i0 = w2c_l17;', 'w2c_i0 += w2c_i9;'), undefined)
  t.is(after(stack, 'w2c_i0 = w2c_l17;', 'w2c_i1 = w2c_l29;', 'w2c_i0 += w2c_i1;'), undefined)
  t.deepEqual(after({}, 'w2c_i0 = 82u;', 'w2c_i1 = 82u;', 'w2c_i0 = w2c_i0 == w2c_i1;'), { base: '', offset: 1 })
  const known: Environment = new Map([['w2c_i0', { base: 'sp', offset: -8 }]])
  const store = accessOf(statement('i64_store((u64)(w2c_i0) + 16, w2c_j1);'), known)
  t.deepEqual(store, { operation: 'i64_store', address: { base: 'sp', offset: 8 }, value: 'w2c_j1' })
})

test('every opcode of the engine has a piece, in a form that can be inline, and nothing but the state goes through it', async t => {
  const { source, stencils } = translate(engineWasm(), await engineNames())
  for (let opcode = 1; opcode < 244; opcode++) t.true(stencils.source.includes(`struct leave op_${opcode}(void)`), String(opcode))
  // Branches cannot be called: all others can.
  const called = [...stencils.source.matchAll(/^void call_(\d+)\(/gm)].map(([, opcode]) => Number(opcode))
  t.true(called.length > 220)
  for (const branch of [104, 105, 106, 232, 233, 234, 235]) t.false(called.includes(branch))
  t.regex(/struct leave op_104[^]*?^\}/m.exec(stencils.source)![0], /return TARGET_i32_load_1_0_1\(\);/)
  t.regex(source, /^ {2}opcode_244:; \{/m)
  t.deepEqual(
    stencils.states.map(([, type]) => type).filter(type => type !== 'u32' && type !== 'u64'),
    [],
  )
  // get_loc of QuickJS: one load from the variables, no look at the bytecode.
  t.regex(/struct leave op_85[^]*?^\}/m.exec(stencils.source)![0], /i64_load\(VAR - ENGINE_BASE \+ \(u64\)hole_i32_load16_u_1_3\)/)
})
