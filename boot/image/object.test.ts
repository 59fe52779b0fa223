import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { linkCode } from './code.ts'
import { ElfError } from './elf.ts'
import { ImageError } from './error.ts'
import { codeOfObject } from './object.ts'

const folder = mkdtempSync(join(tmpdir(), 'xen-ts-object-'))
test.after.always(() => rmSync(folder, { recursive: true, force: true }))

function compile(source: string, ...flags: string[]): Uint8Array {
  const [from, to] = [join(folder, 'it.c'), join(folder, 'it.o')]
  writeFileSync(from, source)
  execFileSync('gcc', ['-O1', '-ffreestanding', '-fno-pic', '-mcmodel=kernel', '-fcf-protection=none', ...flags, '-c', from, '-o', to])
  return readFileSync(to)
}

const base = 0xffffffff80200000n

test('functions and constants of an object become a part, whose references are those of the object', t => {
  const object = compile(`
    extern int known(int);
    static const int numbers[] = { 7, 8, 9 };
    int apply(int i) { return known(numbers[i & 1]) + 1; }
    int (*const table[])(int) = { known, apply };
  `)
  const part = codeOfObject(object, 'it')
  const known = 0xffffffff80100000n
  const bytes = linkCode([part], base, new Map([['known', known]]))
  const view = new DataView(bytes.buffer)
  const start = view.getUint32(40, true)
  const at = (symbol: string) => start + part.symbols.get(symbol)!
  t.is(view.getBigUint64(at('table'), true), known)
  t.is(view.getBigUint64(at('table') + 8, true), base + BigInt(at('apply')))
  const call = bytes.indexOf(0xe8, at('apply'))
  t.is(base + BigInt(call + 5 + view.getInt32(call + 1, true)), known)
  const numbers = bytes.findIndex((_, i) => i + 12 <= bytes.length && [7, 8, 9].every((n, k) => view.getUint32(i + 4 * k, true) === n))
  const loads = [...bytes.keys()].filter(
    i => i > start && i + 4 <= bytes.length && BigInt.asUintN(64, BigInt(view.getInt32(i, true))) === base + BigInt(numbers),
  )
  t.is(loads.length, 1)
})

test('what an image cannot load is refused', t => {
  const refused = (object: Uint8Array, message: RegExp, type: typeof ImageError | typeof ElfError = ImageError) =>
    t.throws(() => codeOfObject(object, 'it'), { instanceOf: type, message })
  refused(compile('int counter = 5; int next(void) { return counter++; }'), /^it has data that changes \(\.data\)/)
  refused(compile('static int counter; int next(void) { return counter++; }'), /^it has data that changes \(\.bss\)/)
  refused(compile('extern int x; int get(void) { return x; }', '-mcmodel=small', '-fpic'), /^it has a relocation of type \d+/)
  refused(new Uint8Array(100), /^it is not an ELF file/, ElfError)
  refused(readFileSync(process.execPath).subarray(0, 1000), /^it is not an object/, ElfError)
})
