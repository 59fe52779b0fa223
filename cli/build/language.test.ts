/** What the language says and the engine does otherwise, as programs see it in an image. */
import { runInEngine } from '@xen-ts/boot/testing'
import test from 'ava'
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
