/** Megabytes per second of TCP between dom0 and a guest, in both directions, next to Linux on the same machine. */
import { Rig } from '../test/xen/rig.ts'
import { benchArguments, imagePeer, linuxPeer, median, printTable, type BenchOptions, type Peer } from './peers.ts'

const BYTES = 20_000_000
/** What dom0 runs; each prints how many bytes arrived. */
const directions = {
  'guest to dom0': (ip: string) => `nc ${ip} 19 | wc -c`,
  'dom0 to guest': (ip: string) => `head -c ${BYTES} /dev/zero | nc ${ip} 9`,
}

/** Each image is of bench/programs/bulk.ts: give two, built before and after a change, to compare them. */
export async function benchBulk(images: string[], options: BenchOptions = {}): Promise<void> {
  const rig = await Rig.start()
  try {
    const peers = [...await Promise.all(images.map(image => imagePeer(image, options))), await linuxPeer('nginx')]
    const columns: number[][] = []
    for (const peer of peers) columns.push(await measure(rig, peer, options.runs ?? 3))
    console.log('megabytes per second of TCP, one virtual CPU, emulated; a ratio is that to Linux')
    printTable([
      ['direction', ...peers.flatMap(({ title }) => [title, 'ratio'])],
      ...Object.keys(directions).map((name, row) => [name, ...columns.flatMap(rates => [rates[row]!.toFixed(1), (rates[row]! / columns.at(-1)![row]!).toFixed(2)])]),
    ])
  } finally {
    await rig.stop()
  }
}

async function measure(rig: Rig, peer: Peer, runs: number): Promise<number[]> {
  const { domain, destroy } = await peer.build(rig)
  try {
    await domain.unpause()
    await rig.must(`for i in $(seq 100); do [ "$(nc -w 1 ${peer.ip} 9 2>/dev/null </dev/null)" = 0 ] && exit; sleep 0.3; done; exit 1`, { seconds: 120 })
    const rates: number[] = []
    for (const command of Object.values(directions)) {
      const one: number[] = []
      // The emulator translates code when it first runs: the first run does not count.
      for (let run = 0; run <= runs; run++) {
        const [begin, bytes, end] = (await rig.must(`cut -d' ' -f1 /proc/uptime; ${command(peer.ip!)}; cut -d' ' -f1 /proc/uptime`, { seconds: 120 })).trim().split('\n').map(Number)
        if (bytes !== BYTES) throw new Error(`${peer.title}: ${bytes} bytes arrived, not ${BYTES}`)
        if (run > 0) one.push(BYTES / 1e6 / (end! - begin!))
      }
      rates.push(median(one))
    }
    return rates
  } finally {
    await destroy()
  }
}

if (import.meta.main) {
  const images = process.argv.slice(2)
  if (images.length === 0) benchArguments()
  await benchBulk(images)
}
