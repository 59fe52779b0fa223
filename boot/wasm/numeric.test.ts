/** Every numeric operation, load and store, compiled as it is for an image but run by a Linux program: it gives what V8 gives. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import fc from 'fast-check'
import { runs } from '../node/fuzz.ts'
import { compileModule } from './compile.ts'
import { readModule } from './module.ts'
import { assemble, numericModule } from './testing.ts'

const folder = mkdtempSync(join(tmpdir(), 'xen-ts-numeric-'))
const program = join(folder, 'numeric')
const bytes = assemble(numericModule)
const { exports: functions, reachable, functions: types } = readModule(bytes)
const { Module, Instance } = WebAssembly as any
const { exports } = new Instance(new Module(bytes))

test.before(() => {
  writeFileSync(join(folder, 'x.o'), compileModule(readModule(bytes), folder))
  const host = fileURLToPath(new URL('fixture/host.c', import.meta.url))
  execFileSync('gcc', ['-O1', '-w', '-no-pie', '-fno-pie', '-o', program, host, join(folder, 'x.o')])
})
test.after.always(() => rmSync(folder, { recursive: true, force: true }))

interface Call {
  readonly fn: number
  readonly values: readonly bigint[]
}

const cell = new DataView(new ArrayBuffer(8))
const fromBits: Record<string, (bits: bigint) => number | bigint> = {
  i32: bits => Number(BigInt.asIntN(32, bits)),
  i64: bits => BigInt.asIntN(64, bits),
  f32: bits => (cell.setUint32(0, Number(BigInt.asUintN(32, bits))), cell.getFloat32(0)),
  f64: bits => (cell.setBigUint64(0, BigInt.asUintN(64, bits)), cell.getFloat64(0)),
}

function byProgram(calls: readonly Call[]): string[] {
  const input = new BigUint64Array(calls.flatMap(({ fn, values: [a, b] }) => [BigInt(reachable.indexOf(functions[fn].index)), a, b]))
  const output = execFileSync(program, { input: new Uint8Array(input.buffer), maxBuffer: 64 << 20 })
  const words = new BigUint64Array(Uint8Array.from(output).buffer)
  return calls.map(({ fn }, i) =>
    words[2 * i] === 0n ? show(fromBits[types[functions[fn].index].results[0]](words[2 * i + 1])) : `trap ${words[2 * i]}`,
  )
}

const traps: Record<string, number> = {
  'divide result unrepresentable': 2,
  'divide by zero': 3,
  'float unrepresentable in integer range': 4,
}

function byV8({ fn, values }: Call): string {
  const { name, index } = functions[fn]
  try {
    return show(exports[name](...types[index].params.map((type, i) => fromBits[type](values[i]))))
  } catch (error) {
    const { message } = error as Error
    // V8 has one trap for what the specification calls two: not a number, and too large.
    return `trap ${traps[message] ?? traps[message.replace('remainder', 'divide')] ?? message}`
  }
}

const show = (value: number | bigint) => (Object.is(value, -0) ? '-0' : String(value))
const sameTrap = (text: string, name: string) => (name.includes('trunc_f') && text === 'trap 2' ? 'trap 4' : text)

/** Numbers at the edges of the types, and any. */
const edges = [0n, 1n, 0x7fffffffn, 0x80000000n, 0xffffffffn, 0x7fffffffffffffffn, 1n << 63n, (1n << 64n) - 1n]
const floats = [
  0,
  -0,
  1,
  -1.5,
  0.5,
  2.5,
  2 ** 31,
  -(2 ** 31) - 1,
  2 ** 32,
  2 ** 63,
  -(2 ** 63),
  2 ** 64,
  5e-324,
  1e300,
  Number.NaN,
  Infinity,
  -Infinity,
]
const bitsOf = (value: number, isDouble: boolean) => {
  if (isDouble) cell.setFloat64(0, value)
  else cell.setFloat32(0, value)
  return isDouble ? cell.getBigUint64(0) : BigInt(cell.getUint32(0))
}
const special = [...edges, ...floats.flatMap(value => [bitsOf(value, true), bitsOf(value, false)])]
const value = fc.oneof(fc.constantFrom(...special), fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), fc.bigInt({ min: 0n, max: 255n }))

test('any operation with any values', t => {
  t.timeout(600_000)
  t.true(functions.length > 150)
  const call = fc.record({ fn: fc.nat(functions.length - 1), values: fc.tuple(value, value) })
  fc.assert(
    fc.property(fc.array(call, { minLength: 100, maxLength: 300, size: 'max' }), calls => {
      byProgram(calls).forEach((result, i) => {
        const { name } = functions[calls[i].fn]
        if (sameTrap(result, name) !== sameTrap(byV8(calls[i]), name))
          t.fail(`${name} of ${calls[i].values}: ${result}, V8 ${byV8(calls[i])}`)
      })
    }),
    runs({ few: 20, cost: 100 }),
  )
  t.pass()
})
