import { TraceMap } from '@jridgewell/trace-mapping'
import test from 'ava'
import { build } from 'esbuild'
import { lineSplitter } from './lines.ts'
import { rewriterFor } from './positions.ts'

test('positions of the bundle become those of the TypeScript source', async t => {
  const source = 'type A = string\n\nexport function start(): A {\n  throw new Error("no")\n}\n'
  const { outputFiles } = await build({
    stdin: { contents: source, sourcefile: 'app.ts', loader: 'ts', resolveDir: process.cwd() },
    write: false,
    bundle: true,
    format: 'iife',
    outfile: 'www.js',
    sourcemap: 'external',
    banner: { js: '// padding' },
  })
  const [map, code] = [outputFiles[0].text, outputFiles[1].text]
  const line = code.split('\n').findIndex(text => text.includes('throw')) + 1
  const column = code.split('\n')[line - 1].indexOf('throw') + 1
  const rewrite = rewriterFor(new TraceMap(map), 'www.js', process.cwd())
  t.is(rewrite(`    at start (www.js:${line}:${column})`), '    at start (app.ts:4:3)')
  t.is(rewrite('    at start (other.js:1:1)'), '    at start (other.js:1:1)')
  t.is(rewrite('    at start (www.js:99999:1)'), '    at start (www.js:99999:1)')
})

test('console text is cut into lines; what stays without an end is given out after a while', async t => {
  const lines: string[] = []
  const splitter = lineSplitter(line => lines.push(line), 5)
  splitter.push('one\r\ntw')
  splitter.push('o\nthr')
  t.deepEqual(lines, ['one', 'two'])
  await new Promise(resolve => setTimeout(resolve, 30))
  t.deepEqual(lines, ['one', 'two', 'thr'])
  splitter.push('four')
  splitter.end()
  t.deepEqual(lines, ['one', 'two', 'thr', 'four'])
})
