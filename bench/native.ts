/**
 * Instructions of the native engine for pieces of the stack's work: the very object that boots, as a Linux program, counted by valgrind's callgrind.
 * The same figure comes twice on a busy machine, to about 1 percent: where the heap lies decides over the length of a few hash chains.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { buildEngine, engineFolder } from '@xen-ts/boot/engine'
import { build } from 'esbuild'
import { type Profile, readProfile } from './native/profile.ts'
import { printTable } from './peers.ts'

/** What is counted, and how often it is done in the two runs whose difference counts: so nothing of the start is in it. */
const works = [
  { work: 'request', title: 'HTTP request on a connection that stays', counts: [50, 250] },
  { work: 'route', title: 'the same with URL, header, JSON', counts: [50, 250] },
  { work: 'connection', title: 'HTTP request on a connection of its own', counts: [50, 250] },
  { work: 'received', title: 'TCP segment received', counts: [100, 600] },
  { work: 'sent', title: 'TCP segment sent', counts: [100, 600] },
  { work: 'datagram', title: 'UDP datagram received', counts: [100, 600] },
  { work: 'echo', title: 'UDP datagram received and answered', counts: [100, 600] },
] as const

/** Prints instructions by piece of work and address family, and where those of a request go. */
export async function benchNative(): Promise<void> {
  await buildEngine({ out: engineFolder })
  const folder = await mkdtemp(join(tmpdir(), 'xen-ts-native-'))
  try {
    const bundle = await bundleWork()
    const rows: string[][] = []
    let request: Profile | undefined
    for (const { work, title, counts } of works) {
      const costs: number[] = []
      for (const family of [4, 6]) {
        const [few, many] = await Promise.all(counts.map(count => measure(folder, bundle, work, family, count)))
        const units = counts[1] - counts[0]
        costs.push((many!.total - few!.total) / units)
        if (work === 'request' && family === 4) request = many!.minus(few!, units)
      }
      rows.push([title, ...costs.map(cost => cost.toLocaleString('en', { maximumFractionDigits: 0 })), (costs[1]! / costs[0]!).toFixed(2)])
    }
    console.log("instructions of the native engine, with those of the benchmark's own peer and kernel functions, which are JavaScript here")
    printTable([['', 'IPv4', 'IPv6', 'ratio'], ...rows])
    console.log('of a request on a connection that stays:')
    printTable(request!.shares())
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function bundleWork(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('native/work.ts', import.meta.url))],
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'neutral',
    target: 'es2024',
    supported: { 'for-await': false },
    mainFields: ['module', 'main'],
    minifySyntax: true,
    charset: 'utf8',
    logLevel: 'warning',
    inject: [fileURLToPath(import.meta.resolve('@xen-ts/runtime/web/inject'))],
  })
  return outputFiles[0]!.text
}

/** @throws when valgrind is missing, or the work does not end as it should */
async function measure(folder: string, bundle: string, work: string, family: number, count: number): Promise<Profile> {
  const name = join(folder, `${work}-${family}-${count}`)
  await writeFile(`${name}.js`, `globalThis.WORK = '${work}'; globalThis.FAMILY = ${family}; globalThis.COUNT = ${count};\n${bundle}`)
  const args = [
    '--tool=callgrind',
    `--callgrind-out-file=${name}.out`,
    join(engineFolder, 'host'),
    join(engineFolder, 'memory.bin'),
    `${name}.js`,
  ]
  const { stdout } = await promisify(execFile)('valgrind', args, { timeout: 300_000 }).catch(error => {
    if (error.code === 'ENOENT') throw new Error('valgrind counts the instructions, and it is not there: apt-get install valgrind')
    throw error
  })
  if (stdout.trim() !== 'done') throw new Error(`${work}, IPv${family}, ${count} times: ${stdout}`)
  return readProfile(await readFile(`${name}.out`, 'utf8'))
}
