/** Megabytes per second of TCP between dom0 and a guest, in both directions, next to Linux on the same machine. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Rig } from '../test/xen/rig.ts'
import { benchArguments, imagePeer, linuxPeer, median, printTable, type BenchOptions, type Peer } from './peers.ts'

const BYTES = 20_000_000
/** Arguments of the program in dom0 behind the address. */
const directions = { 'guest to dom0': '19', 'dom0 to guest': `9 ${BYTES}` }

/** Each image is of bench/programs/bulk.ts: give two, built before and after a change, to compare them. */
export async function benchBulk(images: string[], options: BenchOptions = {}): Promise<void> {
  const rig = await Rig.start()
  try {
    await putClient(rig)
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
    await rig.must(`for i in $(seq 100); do /bulk-client ${peer.ip} 9 1 2>/dev/null && exit; sleep 0.3; done; exit 1`, { seconds: 120 })
    const rates: number[] = []
    for (const direction of Object.values(directions)) {
      const one: number[] = []
      // The emulator translates code when it first runs: the first run does not count.
      for (let run = 0; run <= runs; run++) {
        const [bytes, seconds] = (await rig.must(`/bulk-client ${peer.ip} ${direction}`, { seconds: 120 })).split(' ').map(Number)
        if (bytes !== BYTES) throw new Error(`${peer.title}: ${bytes} bytes arrived, not ${BYTES}`)
        if (run > 0) one.push(BYTES / 1e6 / seconds!)
      }
      rates.push(median(one))
    }
    return rates
  } finally {
    await destroy()
  }
}

/** Compiles the program for dom0 and puts it there. */
async function putClient(rig: Rig): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'xen-ts-bulk-'))
  try {
    execFileSync('gcc', ['-O2', '-static', '-o', join(folder, 'client'), fileURLToPath(new URL('programs/bulk-client.c', import.meta.url))])
    await rig.put(join(folder, 'client'), '/bulk-client')
    await rig.must('chmod 755 /bulk-client')
  } finally {
    rmSync(folder, { recursive: true })
  }
}

if (import.meta.main) {
  const images = process.argv.slice(2)
  if (images.length === 0) benchArguments()
  await benchBulk(images)
}
