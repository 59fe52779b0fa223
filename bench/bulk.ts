/** Megabytes per second of TCP between dom0 and a guest, in both directions, next to Linux on the same machine. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeCpio } from '../test/xen/cpio.ts'
import type { Domain } from '../test/xen/domain.ts'
import { linuxGuest } from '../test/xen/linux-guest.ts'
import { Rig } from '../test/xen/rig.ts'
import { benchArguments, imagePeer, median, printTable, type BenchOptions, type Peer } from './peers.ts'

const BYTES = 5_000_000
/** Arguments of the program in dom0 behind the address. */
const directions = { 'guest to dom0': '19', 'dom0 to guest': `9 ${BYTES}` }

/** Each image is of bench/programs/bulk.ts: give two, built before and after a change, to compare them. */
export async function benchBulk(images: string[], options: BenchOptions = {}): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'xen-ts-bulk-'))
  const rig = await Rig.start()
  try {
    const program = join(folder, 'bulk')
    execFileSync('gcc', ['-O2', '-static', '-o', program, fileURLToPath(new URL('programs/bulk.c', import.meta.url))])
    await rig.put(program, '/bulk')
    await rig.must('chmod 755 /bulk')
    const peers = [...await Promise.all(images.map(image => imagePeer(image, options))), await linuxPeer(program, folder)]
    const columns: number[][] = []
    for (const peer of peers) columns.push(await measure(rig, peer, options.runs ?? 5))
    console.log('megabytes per second of TCP, one virtual CPU, emulated; a ratio is that to Linux')
    printTable([
      ['direction', ...peers.flatMap(({ title }) => [title, 'ratio'])],
      ...Object.keys(directions).map((name, row) => [name, ...columns.flatMap(rates => [rates[row]!.toFixed(1), (rates[row]! / columns.at(-1)![row]!).toFixed(2)])]),
    ])
  } finally {
    await rig.stop()
    rmSync(folder, { recursive: true })
  }
}

async function measure(rig: Rig, peer: Peer, runs: number): Promise<number[]> {
  const { domain, destroy } = await peer.build(rig)
  try {
    await domain.unpause()
    await rig.must(`for i in $(seq 100); do /bulk ${peer.ip} 9 1 2>/dev/null && exit; sleep 0.3; done; exit 1`, { seconds: 120 })
    const rates: number[] = []
    for (const direction of Object.values(directions)) {
      const one: number[] = []
      let busy = 0
      // The emulator translates code when it first runs: the first run does not count.
      for (let run = 0; run <= runs; run++) {
        const [bytes, seconds] = (await rig.must(`/bulk ${peer.ip} ${direction}`, { seconds: 120 })).split(' ').map(Number)
        if (bytes !== BYTES) throw new Error(`${peer.title}: ${bytes} bytes arrived, not ${BYTES}`)
        if (run === 0) busy = -await cpuSeconds(rig, domain)
        else one.push(BYTES / 1e6 / seconds!)
      }
      busy += await cpuSeconds(rig, domain)
      console.log(`${peer.title}: ${direction}: ${one.map(rate => rate.toFixed(1)).join(' ')} MB/s, ${(busy * 1e9 / BYTES / runs).toFixed(0)} ms of its CPU a MB`)
      rates.push(median(one))
    }
    return rates
  } finally {
    await destroy()
  }
}

/** Time that the guest's CPU has run. The wall's also counts dom0, and whatever else the emulator's machine does. */
async function cpuSeconds(rig: Rig, domain: Domain): Promise<number> {
  return Number((await rig.must(`xl list ${domain.domid} | tail -1`)).trim().split(/\s+/).at(-1))
}

/** The Linux of the other benchmarks, with our program in a second archive behind its initramfs. */
async function linuxPeer(program: string, folder: string): Promise<Peer> {
  const vif = { ip: '10.137.0.20', mac: '00:16:3e:5e:6c:20' }
  const guest = await linuxGuest({ role: 'nginx', ip: vif.ip })
  const ramdisk = join(folder, 'linux.img')
  writeFileSync(ramdisk, Buffer.concat([readFileSync(guest.ramdisk), writeCpio(new Map([['usr/bin/bulk', { content: readFileSync(program), mode: 0o755 }]]))]))
  return {
    title: 'Linux', sign: 'init reached', ip: vif.ip,
    async build(rig) {
      const domain = await rig.createDomain({ name: 'linux-bulk', ...guest, ramdisk, vif, paused: true })
      domain.console.resume()
      return { domain, destroy: () => domain.destroy() }
    },
  }
}

if (import.meta.main) {
  const images = process.argv.slice(2)
  if (images.length === 0) benchArguments()
  await benchBulk(images)
}
