/**
 * Writes the list of the hottest functions of xen-ts itself (cli/native/hot.txt), by what they execute in a training: packets, streams, requests and
 * responses on the simulated Xen, in the guest's engine. Counted, not sampled, with a clock that moves only when it is looked at: the same
 * sources give the same list.
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { builtData, countInEngine } from '@xen-ts/boot/testing'
import { build } from 'esbuild'
import { hotList, keysOf } from 'xen-ts/tool'

const path = (file: string): string => fileURLToPath(new URL(file, import.meta.url))

/** As the tool bundles a program, as far as functions are concerned. */
async function training(): Promise<{ code: string; map: string }> {
  const { outputFiles } = await build({
    entryPoints: [path('sim/guest.ts')],
    outfile: path('sim.js'),
    bundle: true,
    write: false,
    sourcemap: 'external',
    format: 'iife',
    platform: 'neutral',
    target: 'es2024',
    supported: { 'for-await': false },
    mainFields: ['module', 'main'],
    charset: 'utf8',
    logLevel: 'warning',
    inject: [fileURLToPath(import.meta.resolve('@xen-ts/runtime/web/inject'))],
    plugins: [builtData()],
    ignoreAnnotations: true, // "sideEffects": false would drop the globals that the engine lacks
  })
  const text = (ending: string) => outputFiles.find(({ path }) => path.endsWith(ending))!.text
  return { code: text('.js'), map: text('.map') }
}

const { code, map } = await training()
const functions = await countInEngine({ bundle: code, filename: 'sim.js' }, () => {})
const keyOf = keysOf({ file: 'sim.js', code, map, root: path('.') })
const list = hotList(functions.map(fn => ({ key: keyOf(fn), count: fn.count })))
writeFileSync(path('../cli/native/hot.txt'), list)
const total = functions.reduce((sum, { count }) => sum + count, 0)
console.log(`${functions.length} functions, ${total} bytecodes; ${list.split('\n').length - 1} lines in cli/native/hot.txt`)
