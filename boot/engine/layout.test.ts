import test from 'ava'
import { createEngine } from './instance.ts'
import { engineLayout } from './layout.ts'

// The probes prove themselves; here their results are used the way the kernel uses them, on values they have not seen.

test('a Uint8Array is told by its class, and its bytes are found', async t => {
  const { classId, uint8ArrayClass, arrayData, arrayLength } = await engineLayout()
  const engine = await createEngine()
  const object = (source: string) => engine.view().getUint32(engine.evaluate(source), true)
  const isUint8Array = (address: number) => engine.view().getUint16(address + classId, true) === uint8ArrayClass

  const array = object('globalThis.a = Uint8Array.of(1, 2, 3, 4, 5).subarray(1, 4)')
  t.true(isUint8Array(array))
  const data = engine.view().getUint32(array + arrayData, true),
    length = engine.view().getUint32(array + arrayLength, true)
  t.deepEqual([...engine.bytes().subarray(data, data + length)], [2, 3, 4])
  const others = [
    'new Int8Array(3)',
    'new Uint8ClampedArray(3)',
    'new Uint16Array(3)',
    'new DataView(new ArrayBuffer(3))',
    'new ArrayBuffer(3)',
    '[1]',
    '({})',
    '() => 1',
  ]
  for (const other of others) t.false(isUint8Array(object(other)), other)
})

test('numbers are boxed with the addend, undefined is its value', async t => {
  const { float64Addend, undefinedValue } = await engineLayout()
  const engine = await createEngine()
  for (const number of [1.5, -273.15, 1e-300, 2 ** 40]) {
    const stored = engine.view().getBigUint64(engine.evaluate(`${number}`), true)
    t.is(new Float64Array(new BigUint64Array([stored + float64Addend]).buffer)[0], number)
  }
  t.is(engine.view().getBigUint64(engine.evaluate('(() => {})()'), true), undefinedValue)
})

test('without its free function an ArrayBuffer leaves its memory alone', async t => {
  const { bufferRecord, bufferFree } = await engineLayout()
  const engine = await createEngine()
  const address = engine.call.malloc(4096)
  const value = engine.call.QTS_NewArrayBuffer(engine.context, address, 4096)
  const record = engine.view().getUint32(engine.view().getUint32(value, true) + bufferRecord, true)
  engine.view().setUint32(record + bufferFree, 0, true)
  engine.bytes().fill(0x5a, address, address + 4096)
  engine.call.QTS_FreeValuePointer(engine.context, value)
  engine.evaluate('for (let i = 0, a = []; i < 5000; i++) a.push({ i, s: "x".repeat(i & 63) })')
  t.true(
    engine
      .bytes()
      .subarray(address, address + 4096)
      .every(byte => byte === 0x5a),
  )
})

test('the length of a string that holds NUL and characters of several bytes', async t => {
  const { stringLength } = await engineLayout()
  const engine = await createEngine()
  const chars = engine.call.QTS_GetString(engine.context, engine.evaluate('"a\\0\\u20ac\\u{1f600}z"'))
  const length = engine.view().getUint32(chars - stringLength, true) & 0x7fffffff
  t.is(Buffer.from(engine.bytes().subarray(chars, chars + length)).toString(), 'a\0€😀z')
})

test('a raised stack limit refuses calls that are deeper, and only those', async t => {
  const { stackLimit, stackSize } = await engineLayout()
  const engine = await createEngine({ stackBytes: 200_000 })
  const field = engine.runtime + stackLimit
  const usual = engine.view().getUint32(field, true)
  t.is(engine.view().getUint32(engine.runtime + stackSize, true), 200_000)
  engine.define('raise', () => {
    engine.view().setUint32(field, usual + 150_000, true)
  })
  const deepest = 'let depth = 0; const down = () => { depth++; down() }; try { down() } catch { }; depth'
  const all = Number(engine.text(engine.evaluate(`(() => { ${deepest}; return depth })()`)))
  const raised = Number(engine.text(engine.evaluate(`(() => { raise(); ${deepest}; return depth })()`)))
  t.true(raised > 0.2 * all && raised < 0.3 * all, `${raised} of ${all}`)
})

test('a seed decides what Math.random gives', async t => {
  const { randomState } = await engineLayout()
  const draw = async (seed: bigint) => {
    const engine = await createEngine()
    engine.view().setBigUint64(engine.context + randomState, seed, true)
    return engine.text(engine.evaluate('[Math.random(), Math.random()]'))
  }
  t.is(await draw(77n), await draw(77n))
  t.not(await draw(77n), await draw(78n))
})

test('with the strip flag functions keep line numbers and lose their text', async t => {
  const { stripFlags } = await engineLayout()
  const engine = await createEngine()
  engine.view().setUint8(engine.runtime + stripFlags, 1)
  const source = 'function f() {\n\n  undefined.x }\nlet r; try { f() } catch (e) { r = e.stack } f.toString() + r'
  const result = engine.text(engine.evaluate(source, 'app.js'))
  t.notRegex(result, /undefined\.x/)
  t.regex(result, /app\.js:3/)
})
