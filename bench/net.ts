/**
 * Ethernet frames per second through Linux netback to a guest and back, without an IP stack, next to a Linux guest that answers
 * from a packet socket. Only the ratios mean something.
 */
import { Rig } from '../test/xen/rig.ts'
import { benchArguments, imagePeer, linuxPeer, median, printTable, withPeers, type BenchOptions } from './peers.ts'

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
    const rows = await withPeers(rig, peers, async domains => {
      const frames = async (i: number, what: string) => (await rig.exec(`frames vif${domains[i]!.domid}.0 ${peers[i]!.mac} ${what}`)).stdout.trim()
      for (const [i, { title }] of peers.entries()) {
        const giveUp = Date.now() + 90_000
        while (await frames(i, 'check 60 60') !== '1') if (Date.now() > giveUp) throw new Error(`${title} does not answer frames`)
        // The emulator translates code when it first runs.
        await frames(i, 'rate 1 60 32')
      }
      const rows: string[][] = []
      for (const { title, length, window } of measurements) {
        const results = peers.map(() => ({ rates: [] as number[], lost: 0 }))
        for (let run = 0; run < runs; run++) {
          for (const [i, result] of results.entries()) {
            const [rate, lost] = (await frames(i, `rate ${SECONDS} ${length} ${window}`)).split(' ').map(Number) as [number, number]
            result.rates.push(rate)
            result.lost += lost
          }
        }
        const [ours, theirs] = results.map(({ rates }) => median(rates)) as [number, number]
        rows.push([title, ...results.map(({ rates, lost }) => `${median(rates).toFixed(0)}${lost ? ` (${lost})` : ''}`), (ours / theirs).toFixed(2)])
      }
      return rows
    })
    console.log(`frames per second there and back; median of ${runs}, one virtual CPU, emulated; (n) lost`)
    printTable([['', peers[0]!.title, 'Linux, packet socket', 'ratio'], ...rows])
  } finally {
    await rig.stop()
  }
}

if (import.meta.main) {
  const { image, options } = benchArguments()
  await benchNet(image, options)
}
