/**
 * Bytes and round trips per second on a vchan between dom0 and a guest, next to libxenvchan in a Linux guest. Only the ratios mean
 * something.
 */
import { Rig } from '@xen-ts/rig/xen'
import { type BenchOptions, benchArguments, imagePeer, linuxPeer, median, printTable, withPeers } from './peers.ts'

const BYTES = 16 << 20,
  ROUND_TRIPS = 500

/** What vchan-load in dom0 does, and what the seconds it prints mean. */
const measurements = [
  { title: 'dom0 to guest, writes of 64 KiB, MB/s', command: `5011 send ${BYTES} 65536`, rate: BYTES / 1e6 },
  { title: 'guest to dom0, writes of 64 KiB, MB/s', command: `5012 receive ${BYTES} 65536`, rate: BYTES / 1e6 },
  { title: 'dom0 to guest, writes of 1 KiB, MB/s', command: `5011 send ${BYTES / 8} 1024`, rate: BYTES / 8e6 },
  { title: 'guest to dom0, writes of 1 KiB, MB/s', command: `5012 receive ${BYTES / 8} 1024`, rate: BYTES / 8e6 },
  { title: 'round trips of one byte per second', command: `5010 ping ${ROUND_TRIPS}`, rate: ROUND_TRIPS },
]

/** @param imagePath of bench/programs/vchan-load.ts */
export async function benchVchan(imagePath: string, options: BenchOptions = {}): Promise<void> {
  const { runs = 3 } = options
  const rig = await Rig.start()
  try {
    const peers = [await imagePeer(imagePath, { ...options, http: false }), await linuxPeer('vchan')]
    const rows = await withPeers(rig, peers, async domains => {
      const rows: string[][] = []
      for (const { title, command, rate } of measurements) {
        const rates: number[][] = domains.map(() => [])
        // The emulator translates code when it first runs: the first round does not count.
        for (let run = 0; run <= runs; run++) {
          for (const [i, { domid }] of domains.entries()) {
            const seconds = Number(await rig.must(`vchan-load client ${domid} ${command}`, { seconds: 120 }))
            if (run > 0) rates[i]!.push(rate / seconds)
          }
        }
        const [ours, theirs] = rates.map(median) as [number, number]
        rows.push([title, ours.toFixed(1), theirs.toFixed(1), (ours / theirs).toFixed(2)])
      }
      return rows
    })
    console.log(`vchan with rings of 64 KiB, the guest is the server; median of ${runs}, one virtual CPU, emulated`)
    printTable([['', peers[0]!.title, 'Linux, libxenvchan', 'ratio'], ...rows])
  } finally {
    await rig.stop()
  }
}

if (import.meta.main) {
  const { image, options } = benchArguments()
  await benchVchan(image, options)
}
