/** What the language says and the engine does otherwise, as programs see it in an image. */
import { runInEngine } from '@xen-ts/boot/testing'
import test from 'ava'
import { CliError } from '../errors.ts'
import { bundleFolder, folderOf, program, runFolder } from './testing.ts'

test('a for await that is left early waits for the return of its iterator', async t => {
  const root = folderOf(t, {
    'app.ts': program(
      `for await (const n of slow()) if (n === 2) break
       say('break')
       await (async () => { for await (const _ of slow()) return })()
       say('return')
       try { for await (const _ of slow()) throw new Error('thrown') } catch (error) { say(String(error)) }
       out: for (;;) for await (const _ of slow()) break out
       say('label')
       for await (const _ of slow());
       say('end')
       try { for await (const _ of { [Symbol.asyncIterator]: () => ({ next: async () => ({ done: false }), return: async () => { throw new Error('of return') } }) }) break } catch (error) { say(String(error)) }`,
      `const said: string[] = []
async function* slow() { try { yield 1; yield 2; yield 3 } finally { await new Promise(resolve => setTimeout(resolve, 1)); console.log('left') } }`,
    ),
  })
  const said = [...(await runFolder(root)).matchAll(/\] (.*)\n/g)].map(([, text]) => text)
  t.deepEqual(
    said.filter(text => !/^(hello|xen-ts)/.test(text)),
    ['left', 'break', 'left', 'return', 'left', 'Error: thrown', 'left', 'label', 'left', 'end', 'Error: of return'],
  )
})

test('the rest of a stream can be read after a loop that did not want all of it', async t => {
  const root = folderOf(t, {
    'app.ts': program(
      `const stream = new ReadableStream({ start(c) { c.enqueue('head'); c.enqueue('a'); c.enqueue('b'); c.close() } })
       for await (const part of stream.values({ preventCancel: true })) if (part === 'head') break
       const rest = []
       for await (const part of stream) rest.push(part)
       say('rest ' + rest)`,
    ),
  })
  t.regex(await runFolder(root), /rest a,b\n/)
})

/** Whether code is strict, by the `this` of functions: of a module's own, of one that is made later, of a package's of both kinds. */
const strictness = {
  'app.ts': program(
    `const arrow = (() => (function (this: unknown) { return this })())()
       say('this is ' + [declared(), arrow, new Kept().call(), ofModule(), ofScript()].map(one => typeof one))
       try { new Function('return 1')(); undeclared = 1; say('assigned') } catch (error) { say(String(error)) }`,
    `import { ofModule } from 'modern'
import { ofScript } from 'old'
declare let undeclared: number
function declared(this: unknown) { return this }
class Kept { call = function (this: unknown) { return this }.bind(undefined) }`,
  ),
  'node_modules/modern/package.json': '{ "name": "modern", "type": "module", "main": "index.js" }',
  'node_modules/modern/index.js': 'export function ofModule() { return this }',
  'node_modules/old/package.json': '{ "name": "old", "main": "index.js" }',
  'node_modules/old/index.js': 'exports.ofScript = (0, function () { return this })',
}

for (const [name, tsconfig] of [
  ['without a tsconfig.json', undefined],
  ['with one that is not strict', '{ "compilerOptions": { "target": "es2022", "strict": false, "alwaysStrict": false } }'],
  ['with one that is', '{ "compilerOptions": { "strict": true } }'],
])
  test(`modules are strict, ${name}: functions too that esbuild takes out of them`, async t => {
    const root = folderOf(t, { ...strictness, ...(tsconfig === undefined ? {} : { 'tsconfig.json': tsconfig }) })
    const said = await runFolder(root)
    t.regex(said, /this is undefined,undefined,undefined,undefined,undefined\n/)
    t.regex(said, /ReferenceError: '?undeclared'? is not defined\n/)
  })

test('what strict code may not say: a package that says it is refused, with the place', async t => {
  const root = folderOf(t, {
    'app.ts': program('say(mixed)', "import { mixed } from 'sloppy'"),
    'node_modules/sloppy/package.json': '{ "name": "sloppy", "main": "index.js" }',
    'node_modules/sloppy/index.js': '\nexports.mixed = function (o) { with (o) { return x } }',
  })
  const error = await t.throwsAsync(bundleFolder(root), { instanceOf: CliError })
  t.is(error.message, 'With statements cannot be used: all code of a bundle is strict, as modules are')
  t.regex(error.where!, /sloppy\/index\.js:2:32\n/)
})

test('packages recognise a stack overflow, and the program its kind', async t => {
  const root = folderOf(t, {
    'app.ts': program(
      `const deep = (): number => 1 + deep()
       try { deep() } catch (error) { say([isOverflow(error), kindOf(error), error instanceof RangeError, error instanceof TypeError]) }
       say([isOverflow(new Error('Maximum call')), 'Maximum call stack size exceeded', "is it 'Maximum call stack size exceeded' === x?"])`,
      "import { isOverflow, kindOf } from 'careful'",
    ),
    'node_modules/careful/package.json': '{ "name": "careful", "main": "index.js" }',
    'node_modules/careful/index.js': `exports.isOverflow = error => "Maximum call stack size exceeded" === error.message
exports.kindOf = error => { switch (error.message) { case 'Maximum call stack size exceeded': return 'overflow' } }`,
  })
  let output = ''
  // On a thread whose stack is deep enough for the guest's.
  await runInEngine({
    bundle: (await bundleFolder(root)).code,
    output: text => {
      output += text
    },
  })
  t.regex(output, /true,overflow,true,false\n/)
  t.regex(output, /false,Maximum call stack size exceeded,is it 'Maximum call stack size exceeded' === x\?\n/)
})
