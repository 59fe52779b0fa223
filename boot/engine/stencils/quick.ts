import { unexpected } from '../text.ts'

/**
 * Small functions whose usual way is put into the pieces: the poll for an interrupt, and the two that drop a reference. Each calls
 * the engine's own, which begins anew, for all else.
 */
export function findQuick(engine: string): { names: ReadonlyMap<string, string>; source: string } {
  const find = (pattern: RegExp): string[] => {
    const found = [...engine.matchAll(new RegExp(pattern, 'gm'))]
    return found.length === 1 ? found[0] : unexpected(`${pattern} is there ${found.length} times`)
  }
  const body = (...lines: string[]) => lines.map(line => String.raw`\s+${line}\n`).join('')
  const [, poll, counter] = find(
    new RegExp(
      String.raw`^static u32 (w2c_f\d+)\(u32 w2c_p0\) \{\n.*\n.*\n` +
        body('w2c_i0 = w2c_p0;', 'w2c_i1 = w2c_p0;', String.raw`w2c_i1 = i32_load\(\(u64\)\(w2c_i1\) \+ (\d+)u\);`, 'w2c_l1 = w2c_i1;') +
        body('w2c_i2 = 1u;', 'w2c_i1 -= w2c_i2;', String.raw`i32_store\(\(u64\)\(w2c_i0\) \+ \2, w2c_i1\);`, 'w2c_i0 = w2c_l1;', 'w2c_i1 = 1u;') +
        body(String.raw`w2c_i0 = \(u32\)\(\(s32\)w2c_i0 <= \(s32\)w2c_i1\);`, String.raw`if \(w2c_i0\) \{`),
    ),
  )
  const [, free, counted] = find(
    new RegExp(
      String.raw`^static void (w2c_f\d+)\(u32 w2c_p0, u64 w2c_p1\) \{\n.*\n.*\n.*\n` +
        body('w2c_j0 = w2c_p1;', String.raw`w2c_j1 = (\d+)ull;`, 'w2c_i0 = w2c_j0 < w2c_j1;', String.raw`if \(w2c_i0\) \{goto w2c_B0;\}`) +
        body('w2c_j0 = w2c_p1;', String.raw`w2c_i0 = \(u32\)\(w2c_j0\);`, 'w2c_l2 = w2c_i0;', 'w2c_i1 = w2c_l2;', String.raw`w2c_i1 = i32_load\(\(u64\)\(w2c_i1\)\);`) +
        body('w2c_l2 = w2c_i1;', 'w2c_i2 = 1u;', 'w2c_i1 -= w2c_i2;', String.raw`i32_store\(\(u64\)\(w2c_i0\), w2c_i1\);`, 'w2c_i0 = w2c_l2;', 'w2c_i1 = 1u;') +
        body(String.raw`w2c_i0 = \(u32\)\(\(s32\)w2c_i0 > \(s32\)w2c_i1\);`, String.raw`if \(w2c_i0\) \{goto w2c_B0;\}`) +
        body('w2c_i0 = w2c_p0;', String.raw`w2c_i0 = i32_load\(\(u64\)\(w2c_i0\) \+ 16u\);`),
    ),
  )
  const [, set] = find(
    new RegExp(
      String.raw`^static void (w2c_f\d+)\(u32 w2c_p0, u32 w2c_p1, u64 w2c_p2\) \{\n.*\n.*\n.*\n` +
        body('w2c_i0 = w2c_p1;', String.raw`w2c_j0 = i64_load\(\(u64\)\(w2c_i0\)\);`, 'w2c_l3 = w2c_j0;', 'w2c_i0 = w2c_p1;', 'w2c_j1 = w2c_p2;') +
        body(String.raw`i64_store\(\(u64\)\(w2c_i0\), w2c_j1\);`, 'w2c_i0 = w2c_p0;', 'w2c_j1 = w2c_l3;', String.raw`${free}\(w2c_i0, w2c_j1\);`) +
        String.raw`\}`,
    ),
  )
  const source = `COLD u32 slow_poll(u32) asm("${poll}");
COLD void slow_free(u32, u64) asm("${free}");
INLINE u32 quick_poll(void)
{
	u64 context = KNOWN(base_ctx) - ENGINE_BASE;
	u32 counter = i32_load(context + ${counter});
	if (UNLIKELY((s32)counter <= 1))
		return slow_poll(KNOWN(hole_ctx));
	i32_store(context + ${counter}, counter - 1);
	return 0;
}
INLINE void quick_free(u64 value)
{
	if (value < ${counted}ull)
		return;
	u32 references = i32_load((u32)value);
	if (UNLIKELY((s32)references <= 1))
		slow_free(KNOWN(hole_ctx), value);
	else
		i32_store((u32)value, references - 1);
}
INLINE void quick_set(u64 place, u64 value)
{
	u64 before = i64_load(place);
	i64_store(place, value);
	quick_free(before);
}
`
  return { names: new Map([[poll, 'quick_poll'], [free, 'quick_free'], [set, 'quick_set']]), source }
}
