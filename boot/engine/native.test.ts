/** Functions as machine code (boot/image/bodies.ts) do what the interpreter does, to the last stack trace. In the engine as a Linux program. */
import { readFileSync } from 'node:fs'
import test from 'ava'
import { buildEngine, engineFolder } from './build.ts'
import { runNative } from './native.ts'

test.before('the engine is built', async t => {
  t.timeout(15 * 60_000)
  await buildEngine({ out: engineFolder })
})

/** What the script prints, with machine code; it must be the same without. */
async function both(script: string): Promise<string> {
  await compare(script, 'compiled')
  return compare(script, 'all')
}

async function compare(script: string, how: 'all' | 'compiled'): Promise<string> {
  const bodies = await runNative(script, { bodies: how })
  const none = await runNative(script, { bodies: 'none' })
  if (bodies.bytes === 0 || none.bytes !== 0) throw new Error('machine code was not where it should be')
  if (bodies.stdout !== none.stdout || bodies.status !== 0 || none.status !== 0)
    throw new Error(
      `with bodies (${how}, ${bodies.status ?? bodies.signal}):\n${bodies.stdout}${bodies.stderr}\nwithout:\n${none.stdout}${none.stderr}`,
    )
  return bodies.stdout
}

const files = ['engine.cases.js', ...['data', 'frames', 'objects', 'tasks', 'text'].map(name => `training/${name}.js`)]
for (const file of files)
  test(`${file} prints the same`, async t => {
    t.timeout(120_000)
    t.not(await both(readFileSync(new URL(file, import.meta.url), 'utf8')), '')
  })

const programs: Record<string, string> = {
  'calls have too few arguments, too many, and variables that outlive them': `
    function three(a, b, c) { return [a, b, c, this === undefined].join() }
    function strict(a, b) { 'use strict'; return [a, b, this === undefined, arguments.length].join() }
    function changed(a, b) { arguments[0] = 'other'; return [a, b, arguments.length].join() }
    function defaults(a = {}, b = [a]) { a = 1; return [typeof a, b.length].join() }
    function many(a) { let b = a + 1, c = b + 1, d = c + 1, e = d + 1; return { add: n => a += n, all: () => [a, b, c, d, e].join() } }
    function made(a, b) { return new.target ? { a, b } : 'called' }
    for (const f of [three, strict, changed, defaults])
      for (const list of [[], [{}], ['x', 'y'], [1, 'two', 3n, {}, []]]) print(f.name, f(...list), f.apply(null, list), f(), f('a'), f('a', 'b', 'c', 'd'))
    const kept = many('1'), others = many('2'); kept.add('3'); print(kept.all(), others.all())
    print(JSON.stringify([new made(), new made({}), Reflect.construct(made, ['p', 'q', 'r']), made('p')]))
    print([3, 1, 2].sort((a, b, c) => a - b + (c ?? 0)).map((x, i, all) => x * i + all.length).join())`,
  'exceptions are caught, with the places where they were thrown': `
    function thrower(x) { if (x > 2) throw new TypeError('x is ' + x); return thrower(x + 1) }
    try { thrower(0) } catch (error) { print(error.stack) }
    for (const wrong of [() => null.x, () => undefined(), () => missing, () => { const a = 1; a = 2 }, () => { later; let later }, () => 1n + 1, () => Symbol() + '', () => new (class A { #p; static f(o) { return o.#p } }).f({}), () => [].reduce((a, b) => a), () => 'x' in 1, () => { new 5 }, () => ({}) instanceof 3])
      try { print(wrong()) } catch (error) { print(error.name + ': ' + error.message + error.stack) }`,
  'finally runs, whatever leaves': `
    function leave(how) {
      const log = []
      function inner() {
        for (let i = 0; i < 3; i++) {
          try {
            try { log.push('try' + i); if (how === 'return' && i === 1) return 'value'; if (how === 'throw' && i === 1) throw 'thrown'; if (how === 'break' && i === 1) break; if (how === 'continue') continue; log.push('end') }
            finally { log.push('finally' + i); if (how === 'override') return 'overridden' }
          } catch (e) { log.push('caught ' + e); if (i === 1) throw e + ' again' } finally { log.push('outer') }
        }
        return 'done'
      }
      try { log.push(inner()) } catch (e) { log.push('out: ' + e) }
      return log.join()
    }
    for (const how of ['return', 'throw', 'break', 'continue', 'override', '']) print(leave(how))`,
  'generators and async functions go on where they were': `
    function* count(n) { try { for (let i = 0; i < n; i++) { const got = yield i; if (got) print('got ' + got) } return 'end' } finally { print('closed') } }
    const g = count(3); print(JSON.stringify([g.next(), g.next('a'), g.return(7), g.next()]))
    function* all() { yield* [1, 2]; yield* count(2); try { yield 5 } catch (e) { yield 'caught ' + e } }
    const a = all(); for (let r = a.next(); !r.done; r = r.value === 5 ? a.throw('t') : a.next()) print(r.value)
    async function wait(x) { await null; if (x > 2) throw new Error('x'); return x * 2 }
    async function* stream() { for (let i = 0; i < 5; i++) yield await wait(i) }
    ;(async () => { try { for await (const x of stream()) print(x) } catch (e) { print(e.stack) } finally { print('over') } })()
    Promise.all([1, 2].map(wait)).then(x => print(x))`,
  'arithmetic at every border': `
    const xs = [0, -0, 1, -1, 2147483647, -2147483648, 4294967295, 2147483648, 1.5, -1.5, NaN, Infinity, -Infinity, 9007199254740991, 5e-324, '3', '', 'x', true, null, undefined, 10n, -1n, [], {}]
    const ops = { add: (a, b) => a + b, sub: (a, b) => a - b, mul: (a, b) => a * b, div: (a, b) => a / b, mod: (a, b) => a % b, pow: (a, b) => a ** b, shl: (a, b) => a << b, sar: (a, b) => a >> b, shr: (a, b) => a >>> b, and: (a, b) => a & b, or: (a, b) => a | b, xor: (a, b) => a ^ b, lt: (a, b) => a < b, lte: (a, b) => a <= b, gt: (a, b) => a > b, gte: (a, b) => a >= b, eq: (a, b) => a == b, neq: (a, b) => a != b, seq: (a, b) => a === b, sneq: (a, b) => a !== b }
    for (const [name, f] of Object.entries(ops)) print(name + ' ' + xs.map(a => xs.map(b => { try { const r = f(a, b); return Object.is(r, -0) ? '-0' : typeof r + String(r) } catch (e) { return e.message } }).join()).join(';'))
    for (const x of xs) { const r = []; for (const f of [y => -y, y => +y, y => ~y, y => !y, y => typeof y, y => { y++; return y }, y => { y--; return y }, y => y++, y => { let s = 0; s += y; return s }]) try { r.push(String(f(x))) } catch (e) { r.push(e.message) } print(r.join()) }`,
  'a full stack is an exception, again and again': `
    let depth = 0
    function deep() { depth++; deep() }
    for (let i = 0; i < 3; i++) { depth = 0; try { deep() } catch (error) { print(error instanceof RangeError || error instanceof InternalError ? 'full' : String(error)) } print(depth > 20 ? 'deep' : depth) }
    class A { get x() { return this.x } toString() { return '' + this } }
    try { new A().x } catch (error) { print(error.message) }
    try { String(new A()) } catch (error) { print(error.message) }`,
  'classes, closures, spread, destructuring, with getters': `
    class Base { #n = 1; static s = 5; static { this.t = this.s * 2 } constructor(x) { this.x = x } get n() { return this.#n } set n(v) { this.#n = v } #m() { return 'm' + this.#n } m() { return this.#m() } static has(o) { return #n in o } }
    class Sub extends Base { y = this.x + 1; constructor(...args) { super(...args); this.n += 5 } m() { return super.m() + '!' } get n() { return super.n * 2 } set n(v) { super.n = v } }
    const s = new Sub(4); print([s.x, s.y, s.n, s.m(), Base.t, Base.has(s), Base.has({})].join())
    const fs = []; for (let i = 0; i < 3; i++) fs.push(() => i++); print(fs.map(f => f() + f()).join())
    const { a, b: { c = 3, ...rest } = {}, ...others } = { a: 1, b: { d: 4, e: 5 }, f: 6 }; print(JSON.stringify([a, c, rest, others]))
    const [p, , q = 9, ...r] = [1, 2, undefined, 4, 5]; print([p, q, ...r, ...'xy', ...new Set([7, 7, 8])].join())
    function args() { arguments[0] = 9; return [...arguments].join() + arguments.length } print(args(1, 2, 3))
    const tag = (parts, ...values) => parts.raw.join('|') + values.join(); print(tag\`a\${1}b\\n\${2}c\`)
    label: for (const i of [1, 2, 3]) { for (const j in { u: 1, v: 2 }) { if (i === 2) continue label; if (i === 3) break label; print(i + j) } }
    const o = { get ['x' + 1]() { return 'got' }, async *m() {}, __proto__: { up: 1 } }; print(o.x1 + o.up + delete o.x1 + ('x1' in o) + (o?.z?.w ?? 'none'))
    switch (3) { case 1: print('no'); case 3: print('three'); case 4: print('falls'); break; default: print('no') }
    var v = 1; { v ||= 2; v &&= 3; v ??= 4 } print(v); print([1, [2, [3]]].flat(Infinity).map((x, i, all) => x * all.length).join())
    print(eval('1 + v') + new Function('a', 'return a * 2')(4))
    print(new Function("o", "with (o) return v")({ v: "inside" }))`,
  'properties by number are taken apart and set': `
    const f = ({ 0: a, 5: b, ...rest }) => a + b + JSON.stringify(rest)
    print(f([1, 2, 3, 4, 5, 6]))
    const o = { 7: 1, get 8() { return this[7] } }
    function take(o) { let x, y; ({ 7: x, 8: y = 9, 2147483647: o[3] = 4 } = o); return [x, y, o[3]].join() }
    print(take(o) + JSON.stringify(o))`,
  'the stack is as deep as a long list': `
    const list = (a, b) => [${Array.from({ length: 70 }, (_, i) => (i % 2 ? `-a + ${i}` : 'b++')).join()}]
    print(list(3, 4).join())
    function call(a) { return ((...all) => all.join())(${Array.from({ length: 70 }, (_, i) => `a - ${i}`).join()}, ...[a], a | 1) }
    print(call(5) + call('7') + call(1.5))`,
  'objects are freed as before': `
    class Big { constructor() { this.list = Array.from({ length: 2000 }, (_, i) => ({ i })) } }
    let sum = 0
    for (let i = 0; i < 300; i++) { const big = new Big(); sum += big.list.length; try { if (i % 3 === 0) throw big } catch (e) { e.self = e } }
    print(sum)`,
}
for (const [title, program] of Object.entries(programs))
  test(title, async t => {
    t.timeout(120_000)
    t.not(await both(program), '')
  })
