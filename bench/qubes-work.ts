/** The work of bench/programs/work.ts in the native engine on the host's own CPU. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buildEngine, engineFolder } from '@xen-ts/boot/engine'
import { run } from '@xen-ts/rig/xen'
import { transform } from 'esbuild'
import { inFolder } from './qubes-dom0.ts'

/** Milliseconds, the least of some runs. */
export async function nativeWork(): Promise<number> {
  await buildEngine({ out: engineFolder })
  const source = await readFile(join(import.meta.dirname, 'programs/work.ts'), 'utf8')
  const { code } = await transform(source.replace('export function', 'function'), { loader: 'ts' })
  return inFolder(async folder => {
    const script = join(folder, 'work.js')
    await writeFile(
      script,
      `${code}
let least = Infinity
for (let run = 0; run < 20; run++) {
  const start = now()
  work()
  least = Math.min(least, now() - start)
}
print('work ' + least)
`,
    )
    const [, milliseconds] = (await run(join(engineFolder, 'host'), [join(engineFolder, 'memory.bin'), '--clock', script]))
      .trim()
      .split(' ')
    return Number(milliseconds)
  })
}
