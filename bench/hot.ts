/**
 * Writes the list of the hottest functions of xen-ts itself (cli/native/hot.txt), by what they execute in a training: packets, streams, requests and
 * responses on the simulated Xen, in the guest's engine. Counted, not sampled, with a clock that moves only when it is looked at: the same
 * sources give the same list.
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { builtData, countInEngine } from '@xen-ts/boot/testing'
import { build } from 'esbuild'
import { hotList, isListed, keysOf } from 'xen-ts/tool'
import { engineBundle } from './engine-bundle.ts'

const path = (file: string): string => fileURLToPath(new URL(file, import.meta.url))

/** As the tool bundles a program, as far as functions are concerned. */
async function training(): Promise<{ code: string; map: string }> {
  const { outputFiles } = await build({
    ...engineBundle,
    entryPoints: [path('hot-guest.ts')],
    outfile: path('training.js'),
    sourcemap: 'external',
    inject: [fileURLToPath(import.meta.resolve('@xen-ts/runtime/web/inject'))],
    plugins: [builtData()],
    ignoreAnnotations: true, // "sideEffects": false would drop the globals that the engine lacks
  })
  const text = (ending: string) => outputFiles.find(({ path }) => path.endsWith(ending))!.text
  return { code: text('.js'), map: text('.map') }
}

/** What it runs, each as important as the others. */
const parts = ['fetch', 'http', 'net', 'tcp', 'vchan']

const { code, map } = await training()
const keyOf = keysOf({ file: 'training.js', code, map, root: path('.') })
const counted: Parameters<typeof hotList>[0][number][] = []
for (const part of parts) {
  const bundle = `globalThis.__part=${JSON.stringify(part)};${code}`
  const functions = await countInEngine({ bundle, filename: 'training.js' }, () => {})
  const keyed = functions.map(fn => ({ key: keyOf(fn), count: fn.count }))
  const total = keyed.reduce((sum, { key, count }) => sum + (isListed(key) ? count : 0), 0)
  counted.push(...keyed.map(({ key, count }) => ({ key, count: count / total })))
  console.log(`${part.padEnd(6)} ${total} bytecodes of ${functions.length} functions`)
}
const list = hotList(counted)
writeFileSync(path('../cli/native/hot.txt'), list)
console.log(`${list.split('\n').length - 1} lines in cli/native/hot.txt`)
