/**
 * The Qubes agents beside native daemons in dom0: CPU from boot to agents connected, calls of an echo service, bytes through one, and
 * frames of a window; next to a Linux guest whose program does the same on libxenvchan. Only the ratios mean something.
 */
import { Rig as Machine, type Rig } from '@xen-ts/rig/xen'
import { median, printTable } from './peers.ts'
import { address, inFolder, linuxQube, QubesDom0 } from './qubes-dom0.ts'
import { nativeWork } from './qubes-work.ts'

/** Images of bench/programs: idle.ts for target xen and for target qubes, idle-net.ts and qubes-load.ts for target qubes. */
export interface QubesImages {
  readonly bare: string
  readonly idle: string
  readonly network: string
  readonly load: string
}

const CALLS = 100,
  CONCURRENT_CALLS = 200,
  AT_ONCE = 50,
  BULK = 100_000_000,
  DRAW_SECONDS = 2

export async function benchQubes(images: QubesImages, { runs = 3 } = {}): Promise<void> {
  const rig = await Machine.start()
  try {
    await QubesDom0.install(rig)
    await inFolder(async folder => {
      const load = await measured(rig, { name: 'qubes-load', kernel: images.load, memory: 64 }, 'dqg')
      const linux = await measured(rig, { name: 'linux-qube', ...(await linuxQube(folder)) }, 'qg')
      try {
        await compare(load.dom0, linux.dom0, runs)
        await printHypercalls(load.dom0)
        await printBoot(rig, images, runs, Number(await load.dom0.tell('ask bench.Work')) / (await nativeWork()))
      } finally {
        await load.destroy()
        await linux.destroy()
      }
    })
  } finally {
    await rig.stop()
  }
}

/** Builds a domain and connects it to the daemons of `parts`. `cpu` and `seconds` until then. */
async function measured(rig: Rig, options: Parameters<Rig['createDomain']>[0], parts: string) {
  const domain = await rig.createDomain({ ...options, paused: true, vif: parts.includes('n') ? address : undefined })
  domain.console.resume()
  const dom0 = await QubesDom0.start(rig, domain.domid, { network: parts.includes('n') })
  const destroy = async (): Promise<void> => {
    dom0.close()
    await domain.destroy()
  }
  try {
    const [seconds, cpu] = (await dom0.numbers(`boot ${parts}`)) as [number, number]
    return { dom0, destroy, seconds, cpu }
  } catch (error) {
    await destroy()
    throw error
  }
}

interface Measurement {
  readonly title: string
  readonly command: string
  /** The figure, and the domain's CPU for it in ms; from the answer of qubes-dom0. */
  figure(answer: number[]): number
  cpu(answer: number[]): number
  readonly cpuOf: string
}

const calls = (title: string, count: number, window: number): Measurement => ({
  title,
  command: `calls ${count} ${window}`,
  figure: ([seconds]) => count / seconds!,
  cpu: ([, cpu]) => cpu! / count,
  cpuOf: 'call',
})
/** Messages that dom0 saw; a drawing program that is faster is told nothing of those it could not see. */
const frames = (title: string, what: string): Measurement => ({
  title,
  command: `draw ${what}`,
  figure: ([messages, seconds]) => (messages! - 1) / seconds!,
  cpu: ([messages, , , cpu]) => cpu! / messages!,
  cpuOf: 'frame',
})
const measurements: readonly Measurement[] = [
  calls('echo of 32 bytes, one call after another, calls/s', CALLS, 1),
  calls(`echo of 32 bytes, ${AT_ONCE} calls at once, calls/s`, CONCURRENT_CALLS, AT_ONCE),
  {
    title: '100 MB through the echo, MB/s',
    command: `bulk ${BULK}`,
    figure: ([seconds]) => BULK / 1e6 / seconds!,
    cpu: ([, cpu]) => cpu! / (BULK / 1e6),
    cpuOf: 'MB',
  },
  frames('1920x1080 filled, dom0 copies it, frames/s', `fill ${DRAW_SECONDS} copy`),
  frames('1920x1080 filled, dom0 only hears of it, frames/s', `fill ${DRAW_SECONDS} -`),
  frames('1920x1080 not drawn, dom0 only hears of it, frames/s', `damage ${DRAW_SECONDS} -`),
  frames('64x64 filled, dom0 copies it, frames/s', `small ${DRAW_SECONDS} copy`),
]

async function compare(load: QubesDom0, linux: QubesDom0, runs: number): Promise<void> {
  const rows: string[][] = []
  for (const { title, command, figure, cpu, cpuOf } of measurements) {
    const [ours, theirs] = [load, linux].map(dom0 => ({ dom0, figures: [] as number[], cpus: [] as number[] })) as [Taken, Taken]
    // The emulator translates code when it first runs: the first round does not count, and is a short one.
    for (const { dom0 } of [ours, theirs])
      await dom0.tell(command.replace(`bulk ${BULK}`, 'bulk 2000000').replace(` ${DRAW_SECONDS} `, ' 0.5 '))
    // Round by round, so that a busy moment of the host does not hit one peer only.
    for (let run = 0; run < runs; run++) {
      for (const { dom0, figures, cpus } of [ours, theirs]) {
        const answer = await dom0.numbers(command)
        figures.push(figure(answer))
        cpus.push(cpu(answer))
      }
    }
    const [our, their] = [median(ours.figures), median(theirs.figures)]
    rows.push([
      title,
      our.toFixed(1),
      their.toFixed(1),
      (our / their).toFixed(2),
      `${median(ours.cpus).toFixed(2)} a ${cpuOf}`,
      median(theirs.cpus).toFixed(2),
      (median(ours.cpus) / median(theirs.cpus)).toFixed(2),
    ])
  }
  console.log(`native daemons in dom0; median of ${runs}, one virtual CPU, emulated; CPU in ms as Xen counts it`)
  printTable([['', 'xen-ts', 'Linux, libxenvchan', 'ratio', 'CPU xen-ts', 'Linux', 'ratio'], ...rows])
}

interface Taken {
  readonly dom0: QubesDom0
  readonly figures: number[]
  readonly cpus: number[]
}

/** What one of each costs in functions of the kernel. The counting is for this only: it costs something itself. */
async function printHypercalls(dom0: QubesDom0): Promise<void> {
  const columns = ['evtchnSend', 'wait', 'grantMap', 'grantUnmap', 'copy']
  const work = [
    { title: 'call, one after another', command: 'calls 50 1', of: () => 50 },
    { title: `call, ${AT_ONCE} at once`, command: `calls 100 ${AT_ONCE}`, of: () => 100 },
    { title: 'MB through the echo', command: 'bulk 10000000', of: () => 10 },
    { title: 'frame of 1920x1080', command: 'draw fill 1 copy', of: ([messages]: number[]) => messages! },
    { title: 'frame of 64x64', command: 'draw small 1 copy', of: ([messages]: number[]) => messages! },
  ]
  await dom0.tell('ask bench.Count')
  const rows: string[][] = []
  for (const { title, command, of } of work) {
    await dom0.tell('ask bench.Count')
    const count = of(await dom0.numbers(command))
    const counts = JSON.parse(await dom0.tell('ask bench.Count')) as Record<string, number>
    rows.push([title, ...columns.map(name => ((counts[name] ?? 0) / count).toFixed(1))])
  }
  console.log('\nfunctions of the kernel that each takes')
  printTable([['', ...columns], ...rows])
}

/**
 * Guest CPU until the domain rests, with one part more each time: the differences are what each part costs.
 * @param slower how much slower this emulated CPU is than the host's own
 */
async function printBoot(rig: Rig, images: QubesImages, runs: number, slower: number): Promise<void> {
  const steps = [
    { title: 'kernel and runtime', kernel: images.bare, parts: '' },
    { title: 'agents, without daemons', kernel: images.idle, parts: '' },
    { title: 'QubesDB', kernel: images.idle, parts: 'd' },
    { title: 'qrexec, a call for the time', kernel: images.idle, parts: 'dq' },
    { title: 'GUI', kernel: images.idle, parts: 'dqg' },
    { title: 'network, IP stack', kernel: images.network, parts: 'dqgn' },
  ].map(step => ({ ...step, cpus: [] as number[], seconds: [] as number[] }))
  for (let run = 0; run < runs; run++) {
    for (const { kernel, parts, cpus, seconds } of steps) {
      const boot = await measured(rig, { name: 'qubes-boot', kernel, memory: 32 }, parts)
      await boot.destroy()
      cpus.push(boot.cpu)
      seconds.push(boot.seconds)
    }
  }
  let before = 0
  const rows = steps.map(({ title, cpus, seconds, parts }) => {
    const cpu = median(cpus),
      more = cpu - before
    before = cpu
    return [
      title,
      more.toFixed(0),
      cpu.toFixed(0),
      (more / slower).toFixed(1),
      (cpu / slower).toFixed(1),
      parts ? (median(seconds) * 1000).toFixed(0) : '',
    ]
  })
  console.log(
    `\nfrom the first instruction to agents connected, median of ${runs}; the estimate divides by ${slower.toFixed(1)}, which is how much longer some`,
  )
  console.log(
    'JavaScript takes in the guest than in the same engine on the host; translating code that runs once is in it: at most so much',
  )
  printTable([['ms of guest CPU for', 'emulated', 'sum', 'estimate', 'sum', 'wall, emulated'], ...rows])
}
