/** What the language says and the engine does otherwise, as programs see it in an image. */
import test from 'ava'
import { folderOf, program, runFolder } from './testing.ts'

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
