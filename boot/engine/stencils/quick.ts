import { unexpected } from '../text.ts'

/**
 * Small functions whose usual way is put into the pieces: those that drop a reference, and the poll for an interrupt, which is nothing. Each
 * calls the engine's own, which begins anew, for all else.
 */
export function findQuick(engine: string): { names: ReadonlyMap<string, string>; source: string } {
  const find = (pattern: RegExp): string[] => {
    const found = [...engine.matchAll(new RegExp(pattern, 'gm'))]
    return found.length === 1 ? found[0] : unexpected(`${pattern} is there ${found.length} times`)
  }
  const body = (...lines: string[]) => lines.map(line => String.raw`\s+${line}\n`).join('')
  // interrupts.ts has made it so.
  const [, poll] = find(/^static u32 (w2c_f\d+)\(u32 w2c_p0\) \{ return 0; \}$/)
  const [, free, counted] = find(
    new RegExp(
      String.raw`^static void (w2c_f\d+)\(u32 w2c_p0, u64 w2c_p1\) \{\n.*\n.*\n.*\n` +
        body('w2c_j0 = w2c_p1;', String.raw`w2c_j1 = (\d+)ull;`, 'w2c_i0 = w2c_j0 < w2c_j1;', String.raw`if \(w2c_i0\) \{goto w2c_B0;\}`) +
        body(
          'w2c_j0 = w2c_p1;',
          String.raw`w2c_i0 = \(u32\)\(w2c_j0\);`,
          'w2c_l2 = w2c_i0;',
          'w2c_i1 = w2c_l2;',
          String.raw`w2c_i1 = i32_load\(\(u64\)\(w2c_i1\)\);`,
        ) +
        body(
          'w2c_l2 = w2c_i1;',
          'w2c_i2 = 1u;',
          'w2c_i1 -= w2c_i2;',
          String.raw`i32_store\(\(u64\)\(w2c_i0\), w2c_i1\);`,
          'w2c_i0 = w2c_l2;',
          'w2c_i1 = 1u;',
        ) +
        body(String.raw`w2c_i0 = \(u32\)\(\(s32\)w2c_i0 > \(s32\)w2c_i1\);`, String.raw`if \(w2c_i0\) \{goto w2c_B0;\}`) +
        body('w2c_i0 = w2c_p0;', String.raw`w2c_i0 = i32_load\(\(u64\)\(w2c_i0\) \+ 16u\);`),
    ),
  )
  const [, set] = find(
    new RegExp(
      String.raw`^static void (w2c_f\d+)\(u32 w2c_p0, u32 w2c_p1, u64 w2c_p2\) \{\n.*\n.*\n.*\n` +
        body(
          'w2c_i0 = w2c_p1;',
          String.raw`w2c_j0 = i64_load\(\(u64\)\(w2c_i0\)\);`,
          'w2c_l3 = w2c_j0;',
          'w2c_i0 = w2c_p1;',
          'w2c_j1 = w2c_p2;',
        ) +
        body(
          String.raw`i64_store\(\(u64\)\(w2c_i0\), w2c_j1\);`,
          'w2c_i0 = w2c_p0;',
          'w2c_j1 = w2c_l3;',
          String.raw`${free}\(w2c_i0, w2c_j1\);`,
        ) +
        String.raw`\}`,
    ),
  )
  // Of a branch on a value that is no integer, boolean, null or undefined: the latter have tags up to 3.
  const tests = [
    ...engine.matchAll(
      /w2c_j1 = 17179869183ull;\s+w2c_i0 = w2c_j0 <= w2c_j1;\s+if \(w2c_i0\) \{[^}]*\}\s+w2c_i0 = w2c_l18;\s+w2c_j1 = w2c_l7;\s+w2c_i0 = (w2c_f\d+)\(w2c_i0, w2c_j1\);/g,
    ),
  ]
  const bool = tests[0]?.[1] ?? unexpected('no branch makes a boolean of a value')
  if (tests.some(([, name]) => name !== bool)) unexpected('branches make booleans in several ways')
  /** A call out of line, from code that otherwise has no frame on the stack: aligns it, and gives the context. */
  const outside = (name: string, engine: string) => `asm(
	".section .text.${name}, \\"ax\\", @progbits\\n"
	"${name}:\\n"
	"	mov %rsp, %rax\\n	and $-16, %rsp\\n	push %rax\\n	push %rax\\n"
	"	mov $hole_ctx, %edi\\n"
	"	call ${engine}\\n"
	"	mov (%rsp), %rsp\\n	ret\\n"
	"	.size ${name}, . - ${name}\\n	.text\\n"
);
`
  const source = `${outside('outside_free', free)}${outside('outside_bool', bool)}
#define CLOBBERED "rcx", "rdx", "rdi", "r8", "r9", "r10", "r11", "memory", "cc"
INLINE u32 quick_poll(void) { return 0; }
INLINE void quick_free(u64 value)
{
	u32 references;
	if (value < ${counted}ull)
		return;
	references = i32_load((u32)value);
	if (UNLIKELY((s32)references <= 1))
		goto slow;
	i32_store((u32)value, references - 1);
	return;
slow: __attribute__((cold));
	asm volatile("call outside_free" : "+S"(value) : : "rax", CLOBBERED);
}
INLINE u32 quick_bool(u64 value)
{
	u32 result;
	asm volatile("call outside_bool" : "=a"(result), "+S"(value) : : CLOBBERED);
	return result;
}
INLINE void quick_set(u64 place, u64 value)
{
	u64 before = i64_load(place);
	i64_store(place, value);
	quick_free(before);
}
`
  return {
    names: new Map([
      [poll, 'quick_poll'],
      [free, 'quick_free'],
      [set, 'quick_set'],
      [bool, 'quick_bool'],
    ]),
    source,
  }
}
