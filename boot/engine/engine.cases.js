// integer arithmetic wraps, shifts and divides
const edges = [0, 1, -1, 2, -2, 31, 32, 33, 255, 65535, 2147483647, -2147483648, 4294967295, -4294967296]
for (const a of edges) print(edges.map(b => [a + b | 0, Math.imul(a, b), a << b, a >> b, a >>> b, a / b | 0, a % b, a & b, a ^ b].join()).join(' '))
print(edges.map(Math.clz32).join())
// numbers to integers saturate, wrap or clamp
const odd = [NaN, Infinity, -Infinity, -0, 0.5, -0.5, 1.5, 2.5, 254.5, 255.5, 1e9, -1e9, 2147483647.5, 2147483648, -2147483649, 4294967295.9, 2 ** 53, -(2 ** 63), 1e300]
for (const x of odd) print([x | 0, x >>> 0, Math.trunc(x), Math.round(x), Math.floor(x), Math.ceil(x), Math.fround(x), Object.is(x, -0)].join())
print([Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array].map(type => type.from(odd).join()).join(' | '))
print(odd.map(x => 'abcdef'.substr(x, 2) + 'xyz'.at(x) + [1, 2, 3].slice(x).length).join(' '))
// floating point functions
const xs = [0, -0, 0.1, 1, -1, 2, Math.PI, 1e-10, 1e10, 710, -745, NaN, Infinity]
for (const f of ['sin', 'cos', 'tan', 'asin', 'acos', 'atan', 'exp', 'expm1', 'log', 'log1p', 'log2', 'log10', 'sqrt', 'cbrt', 'sinh', 'cosh', 'tanh', 'asinh', 'acosh', 'atanh', 'sign', 'abs'])
  print(f + ' ' + xs.map(x => Math[f](x)).join())
print(xs.flatMap(x => xs.map(y => [Math.pow(x, y), Math.atan2(x, y), Math.hypot(x, y), Math.min(x, y), Math.max(x, y), x % y].join())).join(' '))
print(Object.is(Math.min(0, -0), -0) + ' ' + Object.is(Math.max(0, -0), 0) + ' ' + Object.is(Math.min(-0, 0), -0))
// minus zero stays minus zero
const minus = [-0, 0 * -1, Math.min(0, -0), Math.min(-0, 0), Math.max(-0, -0), Math.round(-0.2), Math.ceil(-0.5), Math.trunc(-0.9), -0 + -0, -5 % 5, Number('-0'), parseFloat('-0.0'), JSON.parse('-0'), 0 / -1, Math.fround(-1e-60), Math.sign(-0), new Float64Array([-0])[0], Math.floor(-0), Math.sqrt(-0), Math.abs(-0) * -1, [-0].at(-0), (-0) ** 3]
print(minus.map(x => 1 / x).join())
print([0, -0 + 0, 0 - 0, -0 - -0, Math.max(0, -0), Math.abs(-0), Math.hypot(-0), (-0) | 0, new Int32Array([-0])[0], [-0].indexOf(0)].map(x => 1 / x).join())
// texts with characters above U+007F reach the host, of any length and at any place
for (let n = 0; n < 28; n++) print(Array.from({ length: n + 1 }, (_, i) => 'a'.repeat(i) + 'ÿ\x80é'.slice(i % 3) + 'b'.repeat(n - i)).join(' ') + ' ' + 'x'.repeat(n))
print('é'.repeat(33) + 'x'.repeat(100))
// numbers as text, and back
const numbers = [0, -0, 1, 0.1, 1 / 3, 1e21, 1.5e-7, 123456789.125, 5e-324, 1.7976931348623157e308, 2 ** 53 + 2, -42.42, 0.000001, 1e-7]
for (const n of numbers) print([n, n.toString(2).length, n.toString(36), n.toFixed(3), n.toPrecision(4), n.toExponential(2), Number(String(n)) === n].join(' '))
print(['12', '0x1f', '0b11', ' 7 ', '1e3', '', 'x', '1_0', '.5', 'Infinity', '1.7976931348623159e308', '2.4703282292062327e-324'].map(Number).join())
print(['12px', '0x1f', '101', 'z'].map(text => [parseInt(text), parseInt(text, 2), parseInt(text, 36), parseFloat(text)].join()).join(' '))
// typed arrays see one memory
const view = new DataView(new ArrayBuffer(16)), bytes = new Uint8Array(view.buffer)
for (const x of [1.5, -0, NaN, Infinity, 1e-40, 3.4e38, 2 ** 63]) {
  view.setFloat32(0, x)
  view.setFloat64(8, x, true)
  print([...bytes].map(byte => byte.toString(16)).join(' ') + ' ' + view.getFloat32(0) + ' ' + view.getFloat64(8, true) + ' ' + view.getInt16(9) + ' ' + view.getBigInt64(8))
}
view.setInt32(3, -123456789)
print([view.getUint32(3), view.getInt32(3, true), view.getUint16(4), view.getInt8(5), view.getBigUint64(1, true)].join())
try { view.getUint32(13) } catch (error) { print(error) }
bytes.copyWithin(2, 0, 9)
print([bytes.join(), bytes.subarray(3, 8).fill(9).reverse().join(), new Uint16Array(view.buffer, 2, 3).join(), bytes.toSorted().join(), bytes.indexOf(9), bytes.lastIndexOf(9)].join(' '))
// big integers
const big = 2n ** 200n - 1n
print([big, -big / 12345678901234567890n, big % 997n, -big % 997n, big >> 77n, -big >> 77n, big & 0xffffffffffffffffn, big ^ (1n << 199n), BigInt.asIntN(64, big), BigInt.asUintN(70, -5n)].join(' '))
print([BigInt('0x' + 'f'.repeat(40)), BigInt(2 ** 60), big.toString(36), Number(big), big > 1e60, 10n ** 40n == 1e40, typeof big].join(' '))
try { print(1n / 0n) } catch (error) { print(error) }
// text in many alphabets
const text = 'Stra\u00dfe \u0130\u0131 \u0394\u03a3 \u{1f600}\u{1f468}\u200d\u{1f469} caf\u00e9 cafe\u0301'
print([text.toUpperCase(), text.toLowerCase(), text.length, [...text].length, text.normalize('NFC').length, text.normalize('NFD').length, text.split('').reverse().join('').length].join('|'))
print([text.codePointAt(13), text.at(-1), text.isWellFormed(), '\ud800'.toWellFormed().charCodeAt(0), encodeURIComponent(text), escape(text), text.padEnd(60, '\u20ac').slice(-3)].join('|'))
print(['b', 'a', '\u00e4', 'A', '10', '9', '\u{1f600}', '\ue000'].sort().join() + ' ' + ['b', 'a', 'A'].sort((a, b) => a.localeCompare(b)).join())
print('a-b-c'.replaceAll('-', '+') + 'x'.repeat(5).replace(/x/g, (_, at) => at) + 'tel: 555-1234'.replace(/(?<a>\d+)-(?<b>\d+)/, '$<b>/$<a>$$$&'))
let rope = ''
for (let i = 0; i < 3000; i++) rope += String.fromCharCode(97 + i % 26)
print(rope.length + rope.slice(1000, 1010) + rope.lastIndexOf('abc') + rope.split('z').length)
// regular expressions
print(JSON.stringify(['2026-11-22T18:29:54'.match(/(\d+)-(\d+)-(\d+)T(?:(\d+):)+/), [...'a1b22c333'.matchAll(/[a-z](\d+)/g)].map(m => m[1]), 'aBc'.match(/(?<=a)b/i), '\u{1f600}x'.match(/^.x$/u)]))
print([/^\p{L}+$/u.test('\u0434\u043e\u043c'), /[\p{Lu}--[A-Z]]/v.test('A'), /(a+)+b/.test('a'.repeat(18) + 'b'), /\bfoo\b/y.test('foo bar'), /(?:a|ab)(?:c|bcd)(?:d*)/.exec('abcd')[0]].join())
print('one, two;three'.split(/[,;]\s*/).join('|') + 'aaa'.lastIndexOf('a') + /a{2,3}?/.exec('aaaa')[0] + 'x\ny'.match(/^y$/m).index)
try { new RegExp('(') } catch (error) { print(error) }
// JSON
const value = { a: [1, -0, 1e21, NaN, undefined, () => 1], b: 'q"\\\u2028\ud800', c: { toJSON: key => key + '!' }, d: new Date(0), e: null, [Symbol('x')]: 1 }
print(JSON.stringify(value) + JSON.stringify(value, null, 2).length + JSON.stringify(value, ['a', 'c']) + JSON.stringify('\u{1f600}\n'))
print(JSON.stringify(JSON.parse('{"a":[1,2.5e3,-0],"__proto__":5,"b":{"c":"\\u00e9\\n"}}', (key, v) => typeof v === 'number' ? v + 1 : v)))
for (const bad of ['{', '[1,]', '{"a":1,}', '01', '"\n"', 'nul', '{a:1}', '']) try { print(JSON.parse(bad)) } catch (error) { print(error) }
// collections and sorting
const map = new Map([[NaN, 'nan'], [0, 'zero'], ['0', 'text']])
map.set(-0, 'minus zero').delete('0')
for (const key of map.keys()) if (map.size < 40) map.set(map.size, key)
print([...map].map(pair => pair.join(':')).join() + ' ' + map.get(NaN) + new Set([1, 2, 3]).union(new Set([3, 4])).size)
const people = Array.from({ length: 300 }, (_, i) => ({ i, key: i * 7919 % 13 }))
print(people.sort((a, b) => a.key - b.key).map(({ i }) => i).join())
print([5, 1, 10, undefined, 3, , 2].sort().join() + [3, 1, 2].toSorted((a, b) => b - a) + [1, 2, 3, 4].findLast(x => x % 2) + [[1, [2, [3]]]].flat(Infinity) + Object.entries(Object.groupBy('hello', c => c)))
print(Object.keys({ b: 1, 2: 1, a: 1, 1: 1, [-1]: 1, [2 ** 32]: 1 }).join() + Array.from({ length: 3, 1: 'x' }) + [1, 2, 3].with(1, 9) + [,].includes(undefined))
// classes, accessors, proxies, generators
class Base { static #count = 0; #secret = ++Base.#count; static { this.made = () => Base.#count } get secret() { return this.#secret } has(o) { return #secret in o } }
class Derived extends Base { constructor(...args) { super(); this.args = args } get secret() { return 'd' + super.secret } static of = (...args) => new this(...args) }
print([new Base().secret, Derived.of(1, 2).secret, Base.made(), new Base().has({}), new Derived().has(new Base()), Derived.name, new Derived() instanceof Base].join())
const log = [], proxy = new Proxy({ x: 1 }, { get: (target, key) => (log.push(String(key)), target[key]), has: () => true, deleteProperty: () => true })
print([proxy.x, 'q' in proxy, delete proxy.z, Object.keys(proxy), `${Object.prototype.toString.call(proxy)}`, log.join()].join())
function* walk(n) { try { while (true) { const next = yield n--; if (next) n = next } } finally { log.push('left') } }
const it = walk(3)
print([it.next().value, it.next().value, it.next(10).value, it.return(7).value, it.next().done, log.at(-1)].join())
// errors have their stack
function outer() { inner() }
function inner() { throw new TypeError('deep', { cause: 'why' }) }
try { outer() } catch (error) { print(`${error} ${error.cause} ${error.stack}`) }
for (const source of ['null.x', 'undefined()', 'let a; let a', 'const c = 1; c = 2', 'x = y', '[...1]', 'new (() => 1)', '"use strict"; z = 1', '({}).a.b', 'for (', 'Symbol() + ""', 'new Array(-1)', '"x".repeat(-1)', 'class A { constructor() { this.x } } A()'])
  try { print((0, eval)(source)) } catch (error) { print(error) }
print(new AggregateError([new Error('a')], 'many').errors.length)
// promises keep their order
const order = []
Promise.resolve(1).then(x => order.push('a' + x)).finally(() => order.push('f'))
;(async () => { for (const i of [1, 2]) { await null; order.push('b' + i) } try { await Promise.reject(new Error('r')) } catch (error) { order.push(error.message) } })()
;(async () => { for await (const x of (async function* () { yield 1; yield Promise.resolve(2) })()) order.push('g' + x) })()
Promise.any([Promise.reject(1), new Promise(resolve => resolve('any'))]).then(x => order.push(x))
Promise.allSettled([1, Promise.reject(2)]).then(results => order.push(JSON.stringify(results)))
Promise.withResolvers().promise.catch(() => {})
const end = async () => { for (let i = 0; i < 30; i++) await null; print(order.join()) }
end()
print('first')
// dates in UTC
for (const time of [0, -1, 1e12, 8.64e15, -62198755200000, 951782400000, 1.7e12, NaN]) {
  const date = new Date(time)
  print(`${time} ${isNaN(date) ? date : [date.toISOString(), date, date.getDay(), date.getTimezoneOffset(), date.toUTCString(), date.getYear()].join(' ')}`)
}
print(['2026-11-22', '2026-11-22T18:29', '2026-11-22T18:29:54.123+01:00', 'Sun, 22 Nov 2026 18:29:54 GMT', 'Nov 22 2026', 'nonsense'].map(Date.parse).join())
print(Date.UTC(2026, 14, -3, 25, 61) + ' ' + new Date(2026, 0, 31).setMonth(1))
// garbage with cycles, weak references and finalisers
let alive = []
for (let i = 0; i < 30000; i++) { const node = { i, pad: 'x'.repeat(i & 31) }; node.self = node; if (i % 1000 === 0) alive.push(node) }
const weak = new WeakMap(alive.map(node => [node, node.i]))
print(alive.length + ' ' + weak.get(alive[7]) + ' ' + alive.reduce((sum, node) => sum + node.self.self.i, 0))
let many = Array.from({ length: 200 }, (_, i) => new Uint8Array(i * 1000).fill(i))
print(many.reduce((sum, bytes) => sum + bytes.length + (bytes.at(-1) ?? 0), 0))
