/**
 * Makes QuickJS's account of its heap one of bytes. Compiled by Emscripten, it takes the size of every allocation for 8 bytes, since it knows
 * no way to ask; and the cycle collector runs when the account has grown by half. A cycle that holds a buffer of a megabyte was worth no more
 * than an empty object, so that programs ran out of memory that was garbage. The allocator (dlmalloc) knows: a chunk's size
 * stands before it, with flags in its low bits.
 *
 * And garbage grows by half of what is in use only where there is so much memory: else by three quarters of what there is, but by a sixteenth
 * of what is in use at least, so that a heap which is nearly full is not collected all the time.
 */
import { type Text, unexpected } from './text.ts'

const helpers = `INLINE u32 engine_chunk(u32 address) { return i32_load((u64)address - 4) & ~7u; }

static u32 engine_collect_above(u32 bytes)
{
  u32 most = engine_heap_most(), room = most > bytes ? most - bytes : 0, growth = bytes >> 1;
  if (growth > room - (room >> 2)) growth = room - (room >> 2);
  if (growth < bytes >> 4) growth = bytes >> 4;
  return bytes + growth;
}

`

/** js_def_malloc, js_def_free and js_def_realloc: what they do to JSMallocState.malloc_size, 4 bytes behind their first parameter. */
export function accountInBytes(c: Text): void {
  const free =
    /(w2c_i1 = i32_load\(\(u64\)\(w2c_i1\) \+ 4u\);\n\s+w2c_i2) = 8u;\n(\s+w2c_i1 -= w2c_i2;\n\s+i32_store\(\(u64\)\(w2c_i0\) \+ 4, w2c_i1\);\n\s+w2c_i0 = w2c_p1;\n)/m
  const allocate =
    /(w2c_i0 = w2c_p0;\n\s+w2c_i1 = w2c_l\d+;\n\s+w2c_i2) = 8u;\n(\s+w2c_i1 \+= w2c_i2;\n\s+i32_store\(\(u64\)\(w2c_i0\) \+ 4, w2c_i1\);\n)/m
  // The address is the second parameter in all three.
  c.replace(free, '$1 = engine_chunk(w2c_p1);\n$2', 2)
  c.replace(allocate, '$1 = engine_chunk(w2c_p1);\n$2', 1)
  c.replace(
    /(^static u32 w2c_\w+\(u32 w2c_p0, u32 w2c_p1, u32 w2c_p2\) \{\n(?:(?!^\}).*\n)*?.*w2c_i2 = engine_chunk(?:(?!^\}).*\n)*?)  w2c_i0 = (w2c_\w+)\(w2c_i0, w2c_i1\);\n  goto w2c_Bfunc;\n/m,
    (before, reallocate) =>
      `${before}  w2c_p2 = engine_chunk(w2c_p1);\n  w2c_i0 = ${reallocate}(w2c_i0, w2c_i1);\n` +
      '  if (w2c_i0) i32_store((u64)(w2c_p0) + 4, i32_load((u64)(w2c_p0) + 4) + engine_chunk(w2c_i0) - w2c_p2);\n  goto w2c_Bfunc;\n',
    1,
  )
  // JS_NewObjectFromShape, after the collection: malloc_gc_threshold = malloc_size + (malloc_size >> 1).
  c.replace(
    /(w2c_f\d+\(w2c_i0, w2c_i1\);\n\s+w2c_i0 = (w2c_l\d+);\n\s+w2c_i1 = \2;\n\s+w2c_i1 = i32_load\(\(u64\)\(w2c_i1\) \+ 20u\);\n\s+)\2 = w2c_i1;\n\s+w2c_i2 = 1u;\n\s+w2c_i1 >>= \(w2c_i2 & 31\);\n\s+w2c_i2 = \2;\n\s+w2c_i1 \+= w2c_i2;\n(\s+i32_store\(\(u64\)\(w2c_i0\) \+ 108, w2c_i1\);\n)/m,
    (collects, _, stores) => `${collects}w2c_i1 = engine_collect_above(w2c_i1);\n${stores}`,
    1,
  )
  const first = c.text.search(/^(static )?\w+ w2c_\w+\([^;]*\) \{$/m)
  if (first < 0) unexpected('there is no function')
  c.text = `${c.text.slice(0, first)}${helpers}${c.text.slice(first)}`
}
