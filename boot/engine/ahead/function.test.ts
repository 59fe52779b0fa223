/** Bytecode as the translator to C reads it: in the words of the engine, whose own numbers it must come to. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { findBytecode } from '../../image/functions.ts'
import { createEngine } from '../../node/create.ts'
import { buildEngine, engineFolder } from '../build.ts'
import { readStencilFile } from '../stencils/file.ts'
import { readFunction } from './function.ts'
import { keyOf } from './key.ts'
import { opcodes } from './opcodes.ts'
import { writeBody } from './write.ts'

test.before('the engine is built', async t => {
  t.timeout(15 * 60_000)
  await buildEngine({ out: engineFolder })
})

const cases = readFileSync(new URL('../engine.cases.js', import.meta.url), 'utf8')

/** The functions of a script. @param before what the engine has evaluated before, so that atoms have other numbers */
async function functionsOf(script: string, before = '') {
  const engine = await createEngine({ clock: () => 0 })
  if (before !== '') engine.free(engine.eval(before, 'before.js'))
  const turn = engine.eval(`(function () {${script}\n})`, 'script.js')
  const memory = engine.memory.u8.slice()
  const snapshot = { pages: [], memoryPages: memory.length / 65536, runtime: engine.runtime, turn }
  return findBytecode(snapshot, memory).map(({ address }) => {
    const code = readFunction(memory, address)
    return { code, key: keyOf(code, memory, engine.runtime) }
  })
}

test('opcodes are as long as their handlers say', t => {
  const { lengths } = readStencilFile(readFileSync(join(engineFolder, 'stencils.json'), 'utf8'))
  t.is(opcodes.length, 244)
  for (const { number, name, size } of opcodes.slice(1)) t.is(size, lengths.get(number)!, name)
})

test('the stack is as deep as the engine found it', async t => {
  const functions = await functionsOf(cases)
  t.true(functions.length > 50, `${functions.length}`)
  for (const { code } of functions) {
    const deepest = Math.max(...code.instructions.map(({ depth, after }) => Math.max(depth, after)))
    // The engine counts as well what a handler puts there for a moment.
    t.true(deepest <= code.stackSize && deepest >= code.stackSize - 2, `${deepest} of ${code.stackSize}`)
  }
})

test('nearly all functions can be written as C, and are entered at their start', async t => {
  const functions = await functionsOf(cases)
  const steps = new Set<number>(JSON.parse(readFileSync(join(engineFolder, 'steps.json'), 'utf8')))
  const written = functions.map(({ code }) => writeBody('key', code, steps))
  t.true(written.filter(Boolean).length > functions.length * 0.95)
  for (const body of written) if (body) t.is(body.entries[0], 0)
})

test('a function has the same key in another heap, and another function another', async t => {
  const one = 'function f(a) { return a.some.thing + 1 }'
  const keys = async (script: string, before?: string) => new Set((await functionsOf(script, before)).map(({ key }) => key))
  const here = await keys(one)
  const there = await keys(one, 'globalThis.names = { another: 1, thing: 2, third: 3 }')
  t.true(here.intersection(there).size >= 2, 'the function, and the script around it')
  for (const other of ['a.some.thong + 1', 'a.thing.some + 1', 'a.some.thing + 2', 'a.some.thing - 1']) {
    const [body] = [...(await keys(`function f(a) { return ${other} }`)).difference(here)]
    t.is(typeof body, 'string', other)
  }
})
