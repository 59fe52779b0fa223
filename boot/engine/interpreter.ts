/**
 * QuickJS has two interpreters, of its bytecode and of regular expressions. Each is a loop round a switch over the opcodes, which
 * compiles to one jump for all: the processor can hardly predict it. Here every opcode ends with a jump of its own (threaded code,
 * as QuickJS has it when compiled from C). wasm has no instruction for that, but gcc has labels as values.
 *
 * From `loop: head; switch (opcode - 1) { case i: goto target_i; ... }` comes `goto *labels[*next]`, and for each opcode
 * `label: head; goto target`. The head moves to the other end of the jump: there the opcode is a constant, and most of what the
 * head sets is not needed.
 */
import { lines, type Text, unexpected } from './text.ts'

const interpreters = 2
const assignment = String.raw`\s+w2c_\w+ [-+]?= [^;{}]*;\n`
const loop = lines(
  String.raw`\s+(w2c_L\d+): `,
  String.raw`((?:${assignment})+)\s+switch \(w2c_i0\) \{`,
  String.raw`((?:\s+case \d+: goto \w+;\n){40,})\s+default: goto (\w+);`,
  String.raw`\s+\}`,
  String.raw`([^]*?^\})`, // the rest of the function: a label is known in its function only
)

/** Edits the interpreters' loops. */
export function threadInterpreters(c: Text): void {
  c.replace(
    loop,
    (label, head, cases, otherwise, body) => {
      const { next, withOpcode } = readHead(head)
      const jump = `goto *opcode_labels[i32_load8_u(${next})];`
      const targets = new Map<number, string>()
      for (const [, index, target] of cases.matchAll(/case (\d+): goto (\w+);/g)) targets.set(Number(index) + 1, target)
      const opcodes = Array.from({ length: 256 }, (_, opcode) => opcode)
      const entries = opcodes.map(opcode => `  opcode_${opcode}:;${withOpcode(opcode)}  goto ${targets.get(opcode) ?? otherwise};\n`)
      return `
  static const void *const opcode_labels[256] = { ${opcodes.map(opcode => `&&opcode_${opcode}`).join(', ')} };
  ${jump}
${`${entries.join('')}${body}`.replaceAll(`goto ${label};`, jump)}
`
    },
    interpreters,
  )
}

/** Where the head fetches the opcode from, and the head with a constant for it. It ends with: opcode = *pc; opcode - 1. */
function readHead(head: string): { next: string; withOpcode: (opcode: number) => string } {
  const load = String.raw`i32_load8_u\(\(u64\)\(w2c_i0\)\);`
  const opcode = String.raw`\n\s+\w+ = w2c_i0;\n\s+w2c_i1 = 1u;\n\s+w2c_i0 -= w2c_i1;\n`
  const fetch = new RegExp(String.raw`(w2c_i0 = (\w+);\n\s+w2c_i0 = )${load}(${opcode})$`)
  const pc = fetch.exec(head)?.[2] ?? unexpected('an interpreter does not fetch its opcodes as it did')
  // When the head takes pc from another variable, that is where it is at the jump.
  const next = new RegExp(String.raw`w2c_i0 = (\w+);\n\s+${pc} = w2c_i0;`).exec(head)?.[1] ?? pc
  if (head.split(`${pc} = `).length > (next === pc ? 1 : 2)) unexpected('an interpreter changes its program counter before the fetch')
  return { next, withOpcode: opcode => head.replace(fetch, `$1${opcode}u;$3`) }
}
