/**
 * Ethernet frames per second through Linux netback to a guest and back, without an IP stack, next to a Linux guest that answers
 * from a packet socket; what each costs of the guest's CPU, and in hypercalls. Only the ratios mean something.
 */
import { Rig } from '@xen-ts/rig/xen'
import { countHypercalls } from './hypercalls.ts'
import { type BenchOptions, benchArguments, imagePeer, linuxPeer, median, printTable, withPeers } from './peers.ts'

const SECONDS = 2
const measurements = [
  { title: '60 bytes, 1 under way', length: 60, window: 1 },
  { title: '60 bytes, 32 under way', length: 60, window: 32 },
  { title: '60 bytes, 128 under way', length: 60, window: 128 },
  { title: '1514 bytes, 32 under way', length: 1514, window: 32 },
]

/** @param imagePath of examples/frame-echo */
export async function benchNet(imagePath: string, options: BenchOptions = {}): Promise<void> {
  const { runs = 3 } = options
  const rig = await Rig.start()
  try {
    const peers = [await imagePeer(imagePath, { ...options, http: false }), await linuxPeer('frames')]
    const [rates, costs, hypercalls] = await withPeers(rig, peers, async domains => {
      const command = (i: number, what: string) => `frames vif${domains[i]!.domid}.0 ${peers[i]!.mac} ${what}`
      const frames = async (i: number, what: string) => (await rig.exec(command(i, what))).stdout.trim()
      /** Frames that came back, nanoseconds of the guest's CPU for each, and how many were lost. */
      const measured = async (i: number, length: number, window: number) => {
        const { domid } = domains[i]!
        const [before, went, after] = (
          await rig.must(`cpu-time ${domid} && ${command(i, `rate ${SECONDS} ${length} ${window}`)} && cpu-time ${domid}`)
        ).split('\n')
        const [rate, lost] = went!.split(' ').map(Number) as [number, number]
        return { rate, lost, cost: (Number(after) - Number(before)) / (rate * SECONDS) }
      }
      /** Hypercalls a frame, there and back, while no other guest runs. */
      const calls = async (i: number, length: number, window: number) => {
        const others = domains.filter((_, k) => k !== i)
        const { stdout, hypercalls } = await countHypercalls(rig, command(i, `rate ${SECONDS} ${length} ${window}`), others)
        return hypercalls / (Number(stdout.split(' ')[0]) * SECONDS)
      }
      for (const [i, { title }] of peers.entries()) {
        const giveUp = Date.now() + 90_000
        while ((await frames(i, 'check 60 60')) !== '1') if (Date.now() > giveUp) throw new Error(`${title} does not answer frames`)
        // The emulator translates code when it first runs.
        await frames(i, 'rate 1 60 32')
      }
      const tables: string[][][] = [[], [], []]
      for (const { title, length, window } of measurements) {
        const results = peers.map(() => ({ rates: [] as number[], costs: [] as number[], lost: 0 }))
        for (let run = 0; run < runs; run++) {
          for (const [i, result] of results.entries()) {
            const { rate, lost, cost } = await measured(i, length, window)
            result.rates.push(rate)
            result.costs.push(cost)
            result.lost += lost
          }
        }
        const row = (values: number[], digits: number, notes: string[] = []) => [
          title,
          ...values.map((value, i) => value.toFixed(digits) + (notes[i] ?? '')),
          (values[0]! / values[1]!).toFixed(2),
        ]
        tables[0]!.push(
          row(
            results.map(({ rates }) => median(rates)),
            0,
            results.map(({ lost }) => (lost ? ` (${lost})` : '')),
          ),
        )
        tables[1]!.push(
          row(
            results.map(({ costs }) => median(costs) / 1000),
            0,
          ),
        )
        tables[2]!.push(row([await calls(0, length, window), await calls(1, length, window)], 3))
      }
      return tables
    })
    const head = ['', peers[0]!.title, 'Linux, packet socket', 'ratio']
    console.log(`frames per second there and back; median of ${runs}, one virtual CPU, emulated; (n) lost`)
    printTable([head, ...rates!])
    console.log("microseconds of the guest's CPU for a frame, there and back")
    printTable([head, ...costs!])
    console.log('hypercalls of the guest for a frame, there and back')
    printTable([head, ...hypercalls!])
  } finally {
    await rig.stop()
  }
}

if (import.meta.main) {
  const { image, options } = benchArguments()
  await benchNet(image, options)
}
