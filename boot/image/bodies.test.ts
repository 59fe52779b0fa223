/** Bodies are joined: the same bytes for the same snapshot, every instruction found, and nothing else changed. What they do: boot/engine/native.test.ts. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { buildEngine, engineFolder } from '../engine/build.ts'
import { readStencilFile, type Stencils } from '../engine/stencils/file.ts'
import { listFunctions, makeBodies } from './bodies.ts'
import { linkCode } from './code.ts'
import { ImageError } from './error.ts'
import type { Snapshot } from './format.ts'
import { findBytecode, instructionsOf, memoryOf } from './functions.ts'
import { makeSnapshot } from './snapshot.ts'

let stencils: Stencils
let snapshot: Snapshot
test.before('the engine is built', async t => {
  t.timeout(15 * 60_000)
  await buildEngine({ out: engineFolder })
  stencils = readStencilFile(readFileSync(join(engineFolder, 'stencils.json'), 'utf8'))
  snapshot = await makeSnapshot({ bundle, filename: 'app.js', program: 'app', output: () => {} })
})

const bundle = `
function* numbers(n) { for (let i = 0; i < n; i++) yield i }
async function later(x) { await x; return [...numbers(x)] }
async function* both(x) { yield* await later(x) }
function sum(a, b = 2, ...rest) { try { return a + b + rest.length } finally { a = 0 } }
class Thing { #x = 1; get x() { return this.#x } }
globalThis.__xenTs = { turn() { return sum(1) + new Thing().x }, fail() { later(2); both(3) } }
`
const all = () => new Set(listFunctions(snapshot).map(({ address }) => address))

test('the functions of a program are found, with their kinds', t => {
  const kinds = listFunctions(snapshot).map(({ kind }) => kind)
  for (const kind of ['function', 'generator', 'async', 'async generator'])
    t.true(
      kinds.some(each => each === kind),
      kind,
    )
  t.true(kinds.length >= 8 && kinds.length < 30)
})

test('every function is instructions from its first byte to its last', t => {
  const memory = memoryOf(snapshot)
  for (const each of findBytecode(snapshot, memory)) {
    const instructions = instructionsOf(each, memory, stencils.lengths)
    t.is(instructions[0].address, each.code)
  }
  const [first] = findBytecode(snapshot, memory)
  const wrong = new Map(stencils.lengths).set(memory[first.code], 200)
  t.throws(() => instructionsOf(first, memory, wrong), { instanceOf: ImageError, message: /does not end with an instruction|unknown/ })
})

test('the same snapshot gives the same bytes; opcodes and a count of references are all that changes in it', t => {
  const one = makeBodies(snapshot, stencils, all())
  const two = makeBodies(snapshot, stencils, all())
  t.deepEqual(one.code, two.code)
  const before = memoryOf(snapshot)
  const after = memoryOf(one.snapshot)
  const changed = new Set<number>()
  for (const each of findBytecode(snapshot, before)) {
    for (const { address } of instructionsOf(each, before, stencils.lengths)) {
      t.is(after[address], 244)
      changed.add(address)
    }
    t.is(new DataView(after.buffer).getUint32(each.address, true), new DataView(before.buffer).getUint32(each.address, true) + 1)
    for (let i = 0; i < 4; i++) changed.add(each.address + i)
  }
  t.deepEqual(
    [...before.keys()].filter(i => before[i] !== after[i] && !changed.has(i)),
    [],
  )
  t.true(one.shares.every(({ bytes }) => bytes > 0))
})

test('without functions nothing is made; one that is not there is refused', t => {
  t.deepEqual(makeBodies(snapshot, stencils, new Set()), { snapshot, code: [], shares: [] })
  t.throws(() => makeBodies(snapshot, stencils, new Set([12345])), { instanceOf: ImageError, message: /not in the snapshot/ })
})

test('the table leads from a function and a place in it to its code, and keeps the opcode', t => {
  const functions = [...findBytecode(snapshot)]
  const { code } = makeBodies(snapshot, stencils, all())
  const symbols = new Map(code[0].relocations.flatMap(({ target }) => (typeof target === 'string' ? [[target, 0x500000n] as const] : [])))
  t.true(linkCode(code, 0x8000000n, symbols).length > code[0].bytes.length)
  const view = new DataView(code[0].bytes.buffer, code[0].bytes.byteOffset)
  const memory = memoryOf(snapshot)
  const [shift, mask] = [view.getUint32(0, true), view.getUint32(4, true)]
  for (const each of functions) {
    let slot = Math.imul(each.address, 2654435761) >>> shift
    while (view.getUint32(8 + 16 * slot, true) !== each.address) slot = (slot + 1) & mask
    const [places, body] = [view.getUint32(12 + 16 * slot, true), view.getUint32(16 + 16 * slot, true)]
    let last = 0
    for (const { address, opcode } of instructionsOf(each, memory, stencils.lengths)) {
      const place = view.getUint32(places + 4 * (address - each.code), true)
      t.is(place & 255, opcode)
      t.true(place >>> 8 >= last && body + (place >>> 8) < code[0].bytes.length)
      last = place >>> 8
    }
  }
})
