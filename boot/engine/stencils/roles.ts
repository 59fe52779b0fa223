/**
 * What the variables of the bytecode interpreter (JS_CallInternal as wasm2c writes it) are for. The names are those of the one
 * version of package and wasm2c that translate.ts knows; that each is what it is thought to be is checked in the text.
 */
import { unexpected } from '../text.ts'
import type { Graph, Statement } from './graph.ts'
import type { Exit } from './handler.ts'

export interface Roles {
  readonly pc: string
  readonly sp: string
  /** Variables that are a register of bodies, or known when a body is joined. */
  readonly bases: ReadonlyMap<string, string>
  /** Those that no handler changes. */
  readonly invariants: ReadonlySet<string>
  /** What the head of the loop derives from others before the first dispatch. */
  readonly derived: readonly Statement[]
  /** By label: where a body leaves to. */
  readonly exits: ReadonlyMap<string, Exit>
  readonly types: ReadonlyMap<string, string>
  /** Functions of the engine that have a quick form in stencils.c (quick.ts). */
  readonly quick: ReadonlyMap<string, string>
}

export const interpreterName = 'w2c_f221'

const names = { sp: 'w2c_l19', pc: 'w2c_l21', top: 'w2c_l17' }
const bases: readonly (readonly [string, string])[] = [
  ['w2c_l19', 'sp'],
  ['w2c_l21', 'pc'],
  ['w2c_l29', 'var'],
  ['w2c_l32', 'arg'],
  ['w2c_l30', 'vref'],
  ['w2c_l25', 'sf'],
  ['w2c_l28', 'b'],
  ['w2c_l18', 'ctx'],
  ['w2c_l33', 'rt'],
]

/** What the text must say, whitespace apart. */
const proofs: readonly (readonly [string, string])[] = [
  [
    'a function of bytecode has it at 32, closure variables at 36',
    'w2c_i0 = i32_load((u64)(w2c_i0) + 36u); w2c_l30 = w2c_i0; w2c_i0 = w2c_l37; w2c_i0 = i32_load((u64)(w2c_i0) + 32u); w2c_l28 = w2c_i0;',
  ],
  ['the bytecode begins at 20', 'w2c_i0 = w2c_l28; w2c_i0 = i32_load((u64)(w2c_i0) + 20u); w2c_l21 = w2c_i0;'],
  ['the context is that of the bytecode, at 52', 'w2c_i0 = w2c_l28; w2c_i0 = i32_load((u64)(w2c_i0) + 52u); w2c_l18 = w2c_i0;'],
  ['the runtime is that of the caller, at 16', 'w2c_i0 = w2c_p0; w2c_i0 = i32_load((u64)(w2c_i0) + 16u); w2c_l33 = w2c_i0;'],
]

export function findRoles(text: string, graph: Graph, quick: ReadonlyMap<string, string>): Roles {
  const flat = text.replace(/\s+/g, ' ')
  for (const [what, proof] of proofs) if (!flat.includes(proof)) unexpected(`the interpreter does not say that ${what}`)
  const exits = findExits(flat)
  const head = graph.blocks.get('w2c_L19') ?? unexpected('the loop of the interpreter is not there')
  const first = head.end.kind === 'if' ? graph.blocks.get(head.end.then)! : unexpected('the loop of the interpreter has another head')
  const last = first.end
  if (last.kind !== 'dispatch') unexpected('the head of the loop does not end with a dispatch')
  const atDispatch = graph.live.get('dispatch')!
  const invariants = new Set([...atDispatch].filter(name => name !== names.sp && name !== names.pc))
  for (const [label, exit] of exits) {
    const needed = [...graph.live.get(label)!].filter(name => !invariants.has(name))
    const given = new Set([exit.sp, exit.pc, exit.value, names.sp])
    const missing = needed.filter(name => !given.has(name))
    if (missing.length > 0) unexpected(`${label} of the interpreter needs ${missing.join(', ')}`)
  }
  return { ...names, bases: new Map(bases), invariants, derived: first.statements, exits, types: readTypes(text), quick }
}

function findExits(flat: string): Map<string, Exit> {
  const find = (what: string, pattern: RegExp): string => {
    const found = [...flat.matchAll(new RegExp(pattern, 'g'))]
    return found.length === 1 ? found[0][1] : unexpected(`the interpreter's ${what} is there ${found.length} times`)
  }
  const exception = find('exception', /(w2c_B\d+):; w2c_i0 = 1u; w2c_p6 = w2c_i0; goto w2c_L19;/)
  const done = find(
    'end',
    /w2c_i1 = 48u; w2c_i0 &= w2c_i1; w2c_i0 = !\(w2c_i0\); if \(w2c_i0\) \{goto (w2c_B\d+);\} w2c_B\d+:; w2c_i0 = w2c_l25;/,
  )
  const suspend = find(
    'suspension',
    new RegExp(`w2c_i0 = !\\(w2c_i0\\); if \\(w2c_i0\\) \\{goto ${done};\\} (w2c_B\\d+):; w2c_i0 = w2c_l25; w2c_i1 = w2c_l17; i32_store`),
  )
  return new Map([
    [exception, { name: 'EXCEPTION', sp: names.top, pc: names.pc }],
    [done, { name: 'RETURN', sp: names.top, value: 'w2c_l8' }],
    [suspend, { name: 'SUSPEND', sp: names.top, pc: names.pc, value: 'w2c_l7' }],
  ])
}

/** Types by variable, of parameters and declarations. */
function readTypes(text: string): Map<string, string> {
  const types = new Map<string, string>()
  const [, parameters] = /^[^(]*\(([^)]*)\)/.exec(text) ?? unexpected('the interpreter has no parameters')
  for (const [, type, name] of parameters.matchAll(/(\w+) (w2c_\w+)/g)) types.set(name, type)
  for (const [, type, list] of text.matchAll(/^  (u32|u64|f64|f32) ((?:w2c_\w+(?: = 0)?,?\s*)+);$/gm))
    for (const [name] of list.matchAll(/w2c_\w+/g)) types.set(name, type)
  return types
}
