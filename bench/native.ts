/**
 * Instructions of a guest for pieces of its work: the very engine that boots, with the kernel's handling of calls and a bundle of the tool's, as
 * a Linux program under valgrind's callgrind. Xen and the peers are simulated and not counted. The same figure comes twice, to a part in a hundred,
 * however busy the machine is. Microseconds are of the same program without valgrind, the least of some runs: only for comparing within a run.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { engineFolder, engineLayout } from '@xen-ts/boot/engine'
import { withBodies } from './native/bodies.ts'
import { buildNative } from './native/build.ts'
import { peerBundle, programBundle } from './native/bundles.ts'
import { countOf, dispatches } from './native/bytecodes.ts'
import { readProfile } from './native/callgrind.ts'
import { functionShares } from './native/functions.ts'
import { layersOf, layerTitles, loopOf, sumLayers } from './native/layers.ts'
import { printTable } from './peers.ts'

interface Work {
  readonly name: string
  readonly title: string
  /** How many of what the title says are in a unit of the peers'. */
  readonly unit: number
  readonly peers: 'network' | 'frames' | 'qubes'
  readonly families: readonly (4 | 6)[]
}

const network = (name: string, title: string, unit = 1): Work => ({ name, title, unit, peers: 'network', families: [4, 6] })
const qubes = (name: string, title: string, unit = 1): Work => ({ name, title, unit, peers: 'qubes', families: [4] })
const works: readonly Work[] = [
  network('request', 'HTTP request, connection stays'),
  network('api', 'HTTP, async handler with URL and JSON'),
  network('connection', 'HTTP request on a connection of its own'),
  network('received', 'TCP segment received, of ten', 10),
  network('sent', 'TCP, 64 KiB sent'),
  network('received-large', 'TCP, packet of 64 KiB received, of four', 4),
  network('sent-much', 'TCP, 64 KiB sent, of eight', 8),
  network('datagram', 'UDP datagram received, of ten', 10),
  network('echo', 'UDP datagram received and answered', 10),
  { name: 'frames', title: 'frame of 60 bytes received and sent, of ten', unit: 10, peers: 'frames', families: [4] },
  qubes('trip', 'vchan, a byte and back'),
  qubes('call', 'qrexec call'),
  qubes('frame', 'window: key, 64x64 drawn and told'),
  qubes('told', 'window: frame only told and awaited, of 50', 50),
  qubes('qdb', 'QubesDB: change heard, key written'),
]
const programs = {
  network: ['native.ts', 'xen'],
  frames: ['../../examples/frame-echo', 'xen'],
  qubes: ['native-qubes.ts', 'qubes'],
} as const

/** Units that are not counted, and those that are. */
const [WARM, COUNT] = [30, 100]
const [TIMED_WARM, TIMED] = [100, 300]
const ROUNDS = 3
/** For the profile by functions: the more, the finer. */
const [PROFILED_WARM, PROFILED, SHOWN] = [300, 1500, 20]

interface Result {
  readonly instructions: number
  readonly bytecodes: number
  readonly microseconds: number
  readonly kernelCalls: number
  readonly layers: readonly number[]
}

/**
 * @param only names of works; without any, all. `node bench/native.ts request call`
 * @param bodies with the functions that `make kernel` compiles as machine code: `node bench/native.ts --bodies`
 */
export async function benchNative(only: readonly string[] = [], bodies = false): Promise<void> {
  const program = await buildNative()
  const folder = await mkdtemp(join(tmpdir(), 'xen-ts-native-'))
  try {
    const facts = await engineFacts()
    const loop = await loopOf()
    const layerOf = await layersOf(loop)
    const jumps = await dispatches(program, loop)
    const chosen = works.filter(({ name }) => only.length === 0 || only.includes(name))
    const maps = new Map<string, { map: string; root: string }>()
    for (const peers of new Set(chosen.map(({ peers }) => peers))) {
      await writeFile(join(folder, `${peers}-peers.js`), await peerBundle(peers))
      const { code, ...rest } = await programBundle(programs[peers][0], programs[peers][1])
      await writeFile(join(folder, `${peers}.js`), code)
      maps.set(peers, rest)
    }
    const command = [program, join(engineFolder, 'memory.bin'), facts]
    const tasks = chosen.flatMap(work => work.families.map(family => ({ work, family })))
    const profiles = await inParallel(tasks, async ({ work, family }) => {
      const out = join(folder, `${work.name}-${family}.out`)
      const valgrind = [
        'valgrind',
        '--tool=callgrind',
        '--dump-instr=yes',
        '--toggle-collect=counted_turn',
        '--toggle-collect=outside_call',
        `--callgrind-out-file=${out}`,
      ]
      await run([...valgrind, ...command], folder, work, family, WARM, COUNT, bodies)
      return readProfile(await readFile(out, 'utf8'))
    })
    // One after the other: these are seconds.
    const results: Result[] = []
    for (const [i, { work, family }] of tasks.entries()) {
      const times = []
      for (let round = 0; round < ROUNDS; round++) times.push(await run(command, folder, work, family, TIMED_WARM, TIMED, bodies))
      const units = COUNT * work.unit
      const profile = profiles[i]!
      results.push({
        instructions: profile.total / units,
        bytecodes: countOf(profile, jumps) / units,
        microseconds: Math.min(...times.map(({ nanoseconds }) => nanoseconds)) / 1000 / TIMED / work.unit,
        kernelCalls: times[0]!.kernelCalls / TIMED / work.unit,
        layers: sumLayers(profile, layerOf).map(cost => cost / units),
      })
    }
    print(tasks, results)
    const [{ work, family }] = tasks
    const { map, root } = maps.get(work.peers)!
    const peers = await peerScript(folder, work, family, PROFILED_WARM, PROFILED)
    const shares = await functionShares(peers, join(folder, `${work.peers}.js`), map, root)
    console.log(`\n${work.title}: percent of our own functions, themselves, under V8's interpreter`)
    printTable(shares.slice(0, SHOWN).map(([name, share]) => [name, (100 * share).toFixed(1)]))
  } finally {
    await rm(folder, { recursive: true })
  }
}

function print(tasks: readonly { work: Work; family: number }[], results: readonly Result[]): void {
  const rowTitle = (i: number) => `${tasks[i]!.work.title}${tasks[i]!.family === 6 ? ', IPv6' : ''}`
  const whole = (value: number) => value.toLocaleString('en', { maximumFractionDigits: 0 })
  console.log('a guest on Linux, without what Xen and the peers do; us: at this machine, of this run')
  printTable([
    ['', 'instructions', 'bytecodes', 'calls of the kernel', 'us'],
    ...results.map(({ instructions, bytecodes, kernelCalls, microseconds }, i) => [
      rowTitle(i),
      whole(instructions),
      whole(bytecodes),
      kernelCalls.toFixed(1),
      microseconds.toFixed(1),
    ]),
  ])
  console.log('\nwhere the instructions go, percent')
  printTable([
    ['', ...layerTitles],
    ...results.map(({ layers, instructions }, i) => [rowTitle(i), ...layers.map(cost => ((100 * cost) / instructions).toFixed(1))]),
  ])
}

/** Where things are in the engine's structures, as the kernel is told by a snapshot. */
async function engineFacts(): Promise<string> {
  const layout = await engineLayout()
  const { float64Addend, classId, uint8ArrayClass, arrayData, arrayLength, bufferRecord, bufferFree, stringLength } = layout
  return [float64Addend, classId, uint8ArrayClass, arrayData, arrayLength, bufferRecord, bufferFree, stringLength].join()
}

/** The peers' script with what they have to do. */
async function peerScript(folder: string, { name, peers }: Work, family: number, warm: number, count: number): Promise<string> {
  const script = join(folder, `${name}-${family}-${count}.js`)
  const globals = `Object.assign(globalThis, ${JSON.stringify({ WORK: name, FAMILY: family, WARM: warm, COUNT: count })});\n`
  await writeFile(script, globals + (await readFile(join(folder, `${peers}-peers.js`), 'utf8')))
  return script
}

/** @throws when valgrind is missing, or the work does not end as it should */
async function run(command: readonly string[], folder: string, work: Work, family: number, warm: number, count: number, bodies: boolean) {
  const { name, peers } = work
  const scripts = [...command, await peerScript(folder, work, family, warm, count), join(folder, `${peers}.js`)]
  const [file, ...args] = [...scripts, ...(bodies ? await withBodies(scripts, join(folder, `${name}-${family}-${count}`)) : [])]
  const { stdout } = await promisify(execFile)(file!, args, { timeout: 300_000 }).catch(error => {
    if (error.code === 'ENOENT') throw new Error(`${file} counts the instructions, and it is not there: apt-get install valgrind`)
    throw new Error(`${name}, IPv${family}: ${error.stdout || error.message}`)
  })
  const found = /^counted (\d+) ns, (\d+) calls of Xen, (\d+) calls of the kernel$/m.exec(stdout)
  if (found === null) throw new Error(`${name}, IPv${family}: ${stdout}`)
  return { nanoseconds: Number(found[1]), kernelCalls: Number(found[3]) }
}

async function inParallel<T, R>(tasks: readonly T[], work: (task: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  let next = 0
  const worker = async () => {
    while (next < tasks.length) {
      const i = next++
      results[i] = await work(tasks[i]!)
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, worker))
  return results
}

if (import.meta.main)
  await benchNative(
    process.argv.slice(2).filter(each => each !== '--bodies'),
    process.argv.includes('--bodies'),
  )
