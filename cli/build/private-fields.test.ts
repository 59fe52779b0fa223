import { runInNewContext } from 'node:vm'
import test from 'ava'
import { isInner, plainPlaces, privateFields, withPlain } from './private-fields.ts'
import { treeOf, walk } from './syntax.ts'
import { bundleFolder, folderOf, program } from './testing.ts'

function converted(code: string, isInnerAt: (offset: number) => boolean = () => true): string {
  const fields = privateFields(isInnerAt)
  walk(treeOf(code), fields.visit)
  return withPlain(code, plainPlaces(fields.found(), fields.bases))
}

for (const [title, code, expected] of [
  [
    'a field, read and written',
    'class A { #x = 1; f(o) { return (this.#x += o.#x) } }',
    'class A { ǀx = 1; f(o) { return (this.ǀx += o.ǀx) } }',
  ],
  [
    'beside a private method',
    'class A { #x; #f() { return this.#x } g() { this.#f() } }',
    'class A { ǀx; #f() { return this.ǀx } g() { this.#f() } }',
  ],
  [
    'of the class around',
    'class A { #x; f() { return class B { #y = a => a.#x } } }',
    'class A { ǀx; f() { return class B { #y = a => a.ǀx } } }',
  ],
  [
    'of two classes with the same name, by the nearer one',
    'class A { #x; f() { return class B { static #x; g() { return this.#x } } } h() { this.#x } }',
    'class A { ǀx; f() { return class B { static #x; g() { return this.#x } } } h() { this.ǀx } }',
  ],
] as const)
  test(`becomes plain: ${title}`, t => {
    t.is(converted(code), expected)
  })

for (const [title, code] of [
  ['a derived class', 'class A extends B { #x; f() { return this.#x } }'],
  ['a class that another one is derived from', 'class A { #x; f() { return this.#x } } class B extends A {}'],
  ['such a class in a variable', 'const A = class C { #x; f() { return this.#x } }; class B extends A {}'],
  ['an optional chain that asks for the brand', 'class A { #x; static is(o) { return #x in o && o.#x } }'],
  ['a static field', 'class A { static #x; f() { return A.#x } }'],
  ['a method', 'class A { #x() {} f() { return this.#x() } }'],
  ['an accessor', 'class A { get #x() { return 1 } f() { return this.#x } }'],
  ['a function that has its name of the field', 'class A { #x = () => {}; f() { return this.#x } }'],
  ['a class without a name', 'use(class { #x; f() { return this.#x } })'],
] as const)
  test(`stays private: ${title}`, t => {
    t.is(converted(code), code)
  })

test('a class of a program stays as it is', t => {
  const code = 'class A { #x; f() { return this.#x } }'
  t.is(
    converted(code, () => false),
    code,
  )
})

test('what it does is the same', t => {
  const code = `class Counter { #n = 0; #step; constructor(step) { this.#step = step } next() { return (this.#n += this.#step) }
    same(other) { return other.#n === this.#n } reset() { ({ n: this.#n } = { n: 5 }); this.#n++; [this.#step] = [2] } }
    const a = new Counter(3), b = new Counter(3); a.next(); b.next(); const all = [a.same(b), a.next(), a.same(b)]; a.reset(); all.push(a.next()); all.join()`
  t.not(converted(code), code)
  t.is(runInNewContext(converted(code)), runInNewContext(code))
})

test('which classes are inner ones', t => {
  const ours = [
    'runtime/loop.ts',
    'drivers/netfront/tx.ts',
    'stack/tcp/output.ts',
    'stack/ip/interface.ts',
    'stack/http/server/connection.ts',
  ]
  t.deepEqual(ours.filter(isInner), ours)
  // A program has these in its hands, or the web says what they are.
  const given = ['runtime/web/headers.ts', 'stack/tcp/stream.ts', 'stack/udp/socket.ts', 'qubes/gui/window.ts', 'app.ts', '']
  t.deepEqual(given.filter(isInner), [])
})

test("in a bundle: the loop's fields are plain, and a class of the program and one of the web keep theirs", async t => {
  const head = 'class Own { #secret = 1; tell() { return this.#secret } }'
  const { code } = await bundleFolder(folderOf(t, { 'app.ts': program('say(new Own().tell() + new CloseEvent("a").code)', head) }))
  t.regex(code, /Loop = class \{[^]*?ǀheap\b/)
  t.regex(code, /#secret = 1/)
  const close = /CloseEvent = class [^{]*\{[^]*?\n {6}\};?\n/.exec(code)![0]
  t.regex(close, /#\w+/)
  t.notRegex(close, /ǀ/)
})
