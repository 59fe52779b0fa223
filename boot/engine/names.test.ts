import test from 'ava'
import { engineExports, engineImports } from './interface.ts'
import { checkWasm, deriveNames, engineNames, enginePackage, engineWasm, loadPackage } from './names.ts'
import { readWasm } from './wasm.ts'

const installed = loadPackage(enginePackage)

/** The package, with its glue wrapped: `change` may alter the module that the glue makes. */
const withGlue = (change: (glue: Record<string, unknown>) => void) => ({
  ...installed,
  glue: async (options: object) => {
    const made = await installed.glue(options)
    change(made)
    return made
  },
})

test('every name is found once, and nothing is left over', async t => {
  const names = await engineNames()
  t.deepEqual(Object.keys(names.exports).sort(), Object.keys(engineExports).sort())
  t.deepEqual(Object.values(names.imports).sort(), ['memory', ...Object.keys(engineImports)].sort())
  t.is(names.quickjs, '2025-09-13')
  t.is(names.rejectionSlot, names.tableSize)
})

test("the names are right: they are those in the assignments of the package's own source", async t => {
  const { exports } = await engineNames()
  const source = installed.glue.toString()
  for (const name of ['QTS_Eval', 'QTS_NewContext', 'malloc', 'QTS_NewArrayBuffer'])
    t.regex(source, new RegExp(`c\\._${name}=\\s*b\\.${exports[name]}\\b`))
})

test('a .wasm with one bit changed is refused, with both checksums', t => {
  const wasm = Uint8Array.from(installed.wasm)
  wasm[wasm.length - 1] ^= 1
  const sentence = /sha256 [0-9a-f]{64}, expected 105c3bed[^]*release-sync 0\.32\.0[^]*npm ci/
  t.throws(() => checkWasm({ ...installed, wasm }), { message: sentence })
  t.notThrows(() => checkWasm(installed))
})

for (const variant of ['debug-sync', 'release-asyncify']) {
  test(`another variant of the engine is refused, with what differs: ${variant}`, async t => {
    await t.throwsAsync(deriveNames(loadPackage(`@jitl/quickjs-wasmfile-${variant}`)), {
      name: 'EngineError',
      message: /not (?:as expected|the expected one): \S[^]*npm ci/,
    })
  })
}

test('a package that is not installed is a sentence', t => {
  t.throws(() => loadPackage('@jitl/quickjs-wasmfile-none'), { message: /cannot be read: [^]*quickjs-wasmfile-none[^]*npm ci/ })
})

test('swapped exports are noticed by their types', async t => {
  const swapped = withGlue(glue => {
    ;[glue._QTS_Eval, glue._QTS_Call] = [glue._QTS_Call, glue._QTS_Eval]
  })
  await t.throwsAsync(deriveNames(swapped), { message: /export QTS_(Eval|Call) has type \w+>i, expected \w+>i/ })
})

test('a missing export, and one more than expected, are noticed', async t => {
  const less = withGlue(glue => {
    delete glue._QTS_Eval
  })
  await t.throwsAsync(deriveNames(less), { message: /export "pa" of type iiiiii>i is unknown/ })
  const more = withGlue(glue => {
    glue._QTS_New = glue._QTS_Eval
  })
  await t.throwsAsync(deriveNames(more), { message: /export QTS_New is unknown/ })
})

test('what is no WebAssembly module, or is cut off, is refused', t => {
  t.throws(() => readWasm(new Uint8Array(100)), { message: /does not start with the magic number/ })
  const wasm = engineWasm()
  for (const length of [8, 100, 2000, wasm.length - 1]) t.throws(() => readWasm(wasm.subarray(0, length)), { name: 'EngineError' })
})
