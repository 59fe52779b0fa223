import test, { type ExecutionContext } from 'ava'
import { type CodePart, linkCode, type Relocation } from './code.ts'
import { ImageError } from './error.ts'
import { addressesOf } from './sections.ts'

const base = 0xffffffff80200000n
const symbols = new Map([
  ['print', 0xffffffff80100040n],
  ['far', 0x700000000000n],
])
const part = (name: string, length: number, relocations: Relocation[] = [], more: Partial<CodePart> = {}): CodePart => ({
  name,
  bytes: Uint8Array.from({ length }, (_, i) => i + 1),
  align: 16,
  relocations,
  ...more,
})

/** The header as the kernel reads it: the list of parts with their places and names, and the tables. */
function read(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer)
  const text = (at: number) => Buffer.from(bytes.subarray(at, bytes.indexOf(0, at))).toString()
  const parts = Array.from({ length: view.getUint32(4, true) }, (_, i) => ({
    start: view.getUint32(40 + 8 * i, true),
    name: text(view.getUint32(44 + 8 * i, true)),
  }))
  return {
    view,
    magic: text(0).slice(0, 4),
    parts,
    tables: [0, 1, 2, 3].map(i => view.getBigUint64(8 + 8 * i, true)),
  }
}

test('parts lie behind the header in their order and alignment, with their names; the same parts give the same bytes', t => {
  const parts = [part('first', 5), part('second', 7, [], { align: 64 }), part('ü', 3, [], { align: 1, table: 'bodies' })]
  const bytes = linkCode(parts, base, symbols)
  const { magic, parts: list, tables } = read(bytes)
  t.is(magic, 'XTSC')
  t.deepEqual(
    list.map(({ name }) => name),
    ['first', 'second', 'ü'],
  )
  t.deepEqual(
    list.map(({ start }) => start % 64),
    [list[0].start % 64, 0, 7],
  )
  list.forEach(({ start }, i) => t.deepEqual(bytes.slice(start, start + parts[i].bytes.length), parts[i].bytes))
  t.deepEqual(tables, [0n, base + BigInt(list[2].start), 0n, 0n])
  t.deepEqual(linkCode(parts, base, symbols), bytes)
})

test('each kind of reference is resolved, to the kernel and to a part', t => {
  const parts = [
    part('caller', 32, [
      { offset: 1, kind: 'pc32', target: 'print', addend: -4 },
      { offset: 8, kind: 'abs32', target: { part: 'data', offset: 4 }, addend: 2 },
      { offset: 16, kind: 'abs64', target: 'far', addend: -1 },
      { offset: 28, kind: 'pc32', target: { part: 'caller', offset: 0 }, addend: 0 },
    ]),
    part('data', 8),
  ]
  const { view, parts: list } = read(linkCode(parts, base, symbols))
  const [caller, data] = list.map(({ start }) => start)
  t.is(BigInt(view.getInt32(caller + 1, true)) + base + BigInt(caller + 5), symbols.get('print')!)
  t.is(BigInt(view.getInt32(caller + 8, true)), BigInt.asIntN(64, base) + BigInt(data + 6))
  t.is(view.getBigUint64(caller + 16, true), 0x6fffffffffffn)
  t.is(view.getInt32(caller + 28, true), -28)
})

test('a reference that cannot be resolved is refused with its part and its target', t => {
  const refused = (t: ExecutionContext, relocation: Partial<Relocation>, message: RegExp) =>
    t.throws(() => linkCode([part('small', 8, [{ offset: 0, kind: 'pc32', target: 'print', addend: 0, ...relocation }])], base, symbols), {
      instanceOf: ImageError,
      message,
    })
  refused(t, { target: 'missing' }, /^small, .* refers at 0 to missing, which does not exist/)
  refused(t, { target: { part: 'missing', offset: 0 } }, /missing \+ 0, which does not exist/)
  refused(t, { target: { part: 'small', offset: 9 } }, /small \+ 9, which does not exist/)
  refused(t, { target: { part: 'small', offset: -1 } }, /small \+ -1, which does not exist/)
  refused(t, { target: 'far' }, /far, which is out of reach \(pc32\)/)
  refused(t, { addend: -0x80000000 }, /print, which is out of reach/)
  refused(t, { kind: 'abs32', addend: -0x80000000 }, /print, which is out of reach \(abs32\)/)
  refused(t, { offset: 5 }, /at 5 .* from outside of itself/)
  refused(t, { offset: 1, kind: 'abs64' }, /from outside of itself/)
  refused(t, { offset: -1 }, /from outside of itself/)
})

test('parts that cannot stand together are refused', t => {
  const refused = (parts: CodePart[], message: RegExp) =>
    t.throws(() => linkCode(parts, base, symbols), { instanceOf: ImageError, message })
  refused([part('a', 1), part('a', 2)], /two parts .* called a/)
  for (const align of [0, 3, 8192, Number.NaN]) refused([part('a', 1, [], { align })], /alignment/)
  refused([part('a', 1, [], { table: 'wasm' }), part('b', 1, [], { table: 'wasm' })], /b is a second table "wasm"/)
})

test('a name of several local symbols is no address, and a global one wins', t => {
  const local = { isGlobal: false, section: 1 },
    global = { isGlobal: true, section: 1 }
  const symbols = [
    { name: 'one', value: 1n, ...local },
    { name: 'two', value: 2n, ...local },
    { name: 'two', value: 3n, ...local },
    { name: 'both', value: 4n, ...global },
    { name: 'both', value: 5n, ...local },
    { name: 'elsewhere', value: 0n, isGlobal: true, section: 0 },
  ]
  t.deepEqual(
    [...addressesOf(symbols)],
    [
      ['one', 1n],
      ['both', 4n],
    ],
  )
})
