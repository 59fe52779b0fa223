/**
 * The engine's side of bodies: the interpreter enters one at an opcode that QuickJS does not have, and goes on where it leaves. What the
 * pieces call stays a function of its own.
 */
import { bindCalls, callHeader } from '../ahead/bind.ts'
import { Text, unexpected } from '../text.ts'
import { interpreterName } from './roles.ts'
import { functionText, type StencilSource, stateMembers } from './source.ts'

/** Edits engine.c. @param more functions that compiled bodies call */
export function bindBodies(engine: string, { functions, roles, states }: StencilSource, more: ReadonlySet<string>): string {
  const c = new Text(engine)
  for (const name of new Set([...functions, ...more]))
    c.replace(new RegExp(String.raw`^(static)( \w+ ${name}\([^;{]*\);)$`, 'm'), '$1 __attribute__((used))$2', 1)
  const exit = (name: string): string =>
    [...roles.exits].find(([, each]) => each.name === name)?.[0] ?? unexpected(`there is no exit ${name}`)
  const entry = `  opcode_244:; {
    const struct native_function *function = native_find(w2c_l28);
    u32 start = i32_load((u64)w2c_l28 + 20u);
    u32 place = function ? native_places(function)[w2c_l21 - start] : 0;
    u32 kind = NATIVE_INTERPRET;
    native_pass.pc = w2c_l21;
    native_pass.sp = ENGINE_BASE + w2c_l19;
    if (LIKELY(place >> 8)) {
      native_pass.var = ENGINE_BASE + w2c_l29;
      native_pass.vref = ENGINE_BASE + w2c_l30;
      native_pass.sf = ENGINE_BASE + w2c_l25;
      native_pass.arg = ENGINE_BASE + w2c_l32;
${states.map(([name]) => `      native_pass.${name} = ${name};\n`).join('')}      kind = function->body ? native_enter_body(function, (place >> 8) - 1) : native_enter(native_code(function) + (place >> 8));
    }
    w2c_l21 = native_pass.pc;
    w2c_l19 = w2c_l17 = native_pass.sp - ENGINE_BASE;
    if (LIKELY(kind == NATIVE_RETURN)) { w2c_l8 = native_pass.value; goto ${exit('RETURN')}; }
    if (kind == NATIVE_EXCEPTION) goto ${exit('EXCEPTION')};
    if (kind == NATIVE_SUSPEND) { w2c_l7 = native_pass.value; goto ${exit('SUSPEND')}; }
    if (kind == NATIVE_INTERPRET) goto *opcode_labels[native_opcode(function, w2c_l21 - start)];
    goto *opcode_labels[i32_load8_u(w2c_l21)];
  }
`
  const interpreter = functionText(c.text, interpreterName)
  const edited = new Text(interpreter)
  edited.replace(/^  opcode_244:;(?:.*\n)*?  goto \w+;\n/m, () => entry, 1)
  bindCalls(edited)
  c.text = c.text.replace(interpreter, () => edited.text)
  c.replace(
    /^(u32 engine_sp = )/m,
    `struct native_state {\n\tNATIVE_STATE\n${stateMembers(states)}};\n#include "native-run.h"\n${callHeader(c.text)}\n$1`,
    1,
  )
  c.replace(/^(#include "operations.h"\n)/m, '$1#include "native.h"\n', 1)
  return c.text
}
