/** Modules of WebAssembly in programs: what becomes of them in an image and in a process. They run in test/system/webassembly.xen.test.ts. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { buildProcess } from './process.ts'
import { buildFolder, bundleFolder, folderOf, program } from './testing.ts'
import { compiledCode } from './webassembly-modules.ts'

// (module (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))
const add = Buffer.from('0061736d0100000001070160027f7f017f030201000707010361646400000a09010700200020016a0b', 'hex')
// The same with a vector.
const simd = Buffer.from(
  `0061736d0100000001070160027f7f017f030201000707010361646400000a1c011a00fd0c${'00'.repeat(16)}1a200020016a0b`,
  'hex',
)

const withoutCompilers = (t: ExecutionContext) => {
  const { PATH } = process.env
  process.env.PATH = '/nowhere'
  t.teardown(() => {
    process.env.PATH = PATH
  })
}

test('an imported module is a WebAssembly.Module, and its bytes are known', async t => {
  const { output, warnings } = await buildFolder(
    folderOf(t, {
      'app.ts': program(
        `say(module instanceof WebAssembly.Module && again === module)
say(JSON.stringify(WebAssembly.Module.exports(module)))
say(WebAssembly.Module.exports(new WebAssembly.Module(bytes))[0].name)
say(WebAssembly.validate(bytes) + ' ' + WebAssembly.validate(bytes.subarray(1)))
try { new WebAssembly.Module(bytes.slice(0, -1)) } catch (error) { say(error) }
try { new WebAssembly.Instance(module) } catch (error) { say(error) }`,
        `import module from './add.wasm'\nimport again from './add.wasm?module'\nconst bytes = Uint8Array.of(${[...add]})`,
      ),
      'add.wasm': add,
    }),
  )
  t.deepEqual(warnings, [])
  t.regex(output, /\] true\n.*\[\{"name":"add","kind":"function"\}\]\n.*\] add\n.*\] true false\n/)
  t.regex(output, /CompileError: .* compiled when the image was built.*import its file/)
  t.regex(output, /runs there only/)
})

test('a program without modules has no WebAssembly, and none of its code', async t => {
  const root = folderOf(t, { 'app.ts': program(`say(typeof WebAssembly); say('AGFzbQEAAA')`) })
  const { output } = await buildFolder(root)
  t.regex(output, /undefined/)
  const { wasm, code } = await bundleFolder(folderOf(t, { 'app.ts': program(`say('AGFzbQEAAAA=')`) }))
  t.deepEqual(wasm, [])
  t.notRegex(code, /web\/webassembly/)
})

test('a module as a list of bytes in the text is found', async t => {
  const list = `Uint8Array.of(0).constructor.from([${[...add].map((byte, i) => (i % 9 ? byte : ` ${byte}`))}])`
  const { output } = await buildFolder(
    folderOf(t, { 'app.ts': program(`say(WebAssembly.Module.exports(new WebAssembly.Module(${list}))[0].name)`) }),
  )
  t.regex(output, /\] add\n/)
})

test('a module in base64 in the text is found, once', async t => {
  const text = add.toString('base64')
  const root = folderOf(t, {
    'app.ts': program(
      `say(WebAssembly.Module.exports(new WebAssembly.Module(Uint8Array.from(atob(text), c => c.charCodeAt(0))))[0].name)`,
      `import './add.wasm'\nconst text = '${text}', again = \`data:application/wasm;base64,${text}\`; export { again }`,
    ),
    'add.wasm': add,
  })
  const { wasm } = await bundleFolder(root)
  t.is(new Set(wasm.map(({ hash }) => hash)).size, 1)
  t.is(compiledCode(wasm, root).length, 3)
  t.regex((await buildFolder(root)).output, /\] add\n/)
})

test('a module in base64 that cannot be compiled is warned of, and WebAssembly is not there', async t => {
  const { warnings, output } = await buildFolder(
    folderOf(t, { 'app.ts': program(`say(typeof WebAssembly + text)`, `const text = '${simd.toString('base64')}'`) }),
  )
  t.regex(warnings[0], /^a module of WebAssembly in the program's text is left out: .*SIMD.*\nbuild the module again/)
  t.regex(output, /undefined/)
})

test.serial('without compilers an imported module is refused, and one in the text is warned of', async t => {
  const imported = folderOf(t, { 'app.ts': program('say(module)', `import module from './add.wasm'`), 'add.wasm': add })
  const embedded = folderOf(t, { 'app.ts': program('say(typeof WebAssembly + text)', `const text = '${add.toString('base64')}'`) })
  withoutCompilers(t)
  const { wasm } = await bundleFolder(imported)
  t.throws(() => compiledCode(wasm, imported), {
    name: 'CliError',
    message: /^WebAssembly is compiled to native code, and gcc is not installed$/,
  })
  const { warnings } = await buildFolder(embedded)
  t.regex(warnings[0], /gcc is not installed\ninstall both with `apt install wabt gcc`/)
})

test.serial("a process has Node's own WebAssembly, and needs no compiler", async t => {
  const root = folderOf(t, {
    'app.ts': program(`say((new WebAssembly.Instance(module).exports as any).add(40, 2))`, `import module from './add.wasm'`),
    'add.wasm': add,
  })
  withoutCompilers(t)
  const output = join(root, 'app.js')
  await buildProcess({ app: join(root, 'app.ts'), output, target: 'unix' })
  const { stdout, stderr } = spawnSync(process.execPath, [output], { encoding: 'utf8' })
  t.regex(stdout + stderr, /\] 42\n/)
})
