/** `npm run bench [NAME...]`: each benchmark prints a table of ratios against a peer measured in the same run. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildProgram, kib } from 'xen-ts/tool'

const folder = mkdtempSync(join(tmpdir(), 'xen-ts-bench-'))

/** Builds an example, or a file of bench/programs, and tells its size and the time of a second build, which is what a change costs. */
async function image(example: string, target: string): Promise<string> {
  const app = fileURLToPath(new URL(example.endsWith('.ts') ? `programs/${example}` : `../examples/${example}`, import.meta.url))
  const output = join(folder, `${example}-${target}.xen`)
  await buildProgram({ app, target, output })
  const { bytes, gzipBytes, stages } = await buildProgram({ app, target, output, gzip: true })
  const milliseconds = stages.reduce((sum, stage) => sum + stage.milliseconds, 0)
  console.log(`${example}: ${kib(bytes)}, gzipped ${kib(gzipBytes ?? 0)}, rebuilt in ${milliseconds.toFixed(0)} ms`)
  return output
}

const benchmarks: Record<string, () => Promise<unknown>> = {
  build: async () => {
    await image('hello', 'xen')
    await image('website', 'qubes')
    await (await import('./build.ts')).benchBuild()
  },
  engine: async () => (await import('./engine.ts')).benchEngine(),
  sim: async () => (await import('./sim.ts')).benchSim(),
  native: async () => (await import('./native.ts')).benchNative(),
  web: async () => (await import('./web.ts')).benchWeb(),
  boot: async () => {
    const { benchBoot } = await import('./boot.ts')
    await benchBoot(await image('hello', 'xen'), { http: false })
    await benchBoot(await image('website', 'xen'))
  },
  vchan: async () => (await import('./vchan.ts')).benchVchan(await image('vchan-load.ts', 'xen')),
  qubes: async () =>
    (await import('./qubes.ts')).benchQubes({
      bare: await image('idle.ts', 'xen'),
      idle: await image('idle.ts', 'qubes'),
      network: await image('idle-net.ts', 'qubes'),
      load: await image('qubes-load.ts', 'qubes'),
    }),
  net: async () => (await import('./net.ts')).benchNet(await image('frame-echo', 'xen')),
  bulk: async () => (await import('./bulk.ts')).benchBulk([await image('bulk.ts', 'xen')]),
  http: async () => (await import('./http.ts')).benchHttp(await image('page.ts', 'xen')),
  client: async () => (await import('./client.ts')).benchClient(await image('client.ts', 'xen')),
}

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(benchmarks)
const unknown = names.find(name => !Object.hasOwn(benchmarks, name))
if (unknown !== undefined) {
  console.error(`error: there is no benchmark ${unknown}\n  npm run bench ${Object.keys(benchmarks).join(' | ')}`)
  process.exitCode = 1
} else {
  try {
    for (const name of names) {
      console.log(`\n== ${name}`)
      await benchmarks[name]()
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}
