/** Megabytes per second of TCP between dom0 and a guest, in both directions and by both families, next to Linux on the same machine. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Domain, installNetworkTools, linuxGuest, Rig, writeCpio } from '@xen-ts/rig/xen'
import { countHypercalls } from './hypercalls.ts'
import { type BenchOptions, benchArguments, imagePeer, median, type Peer, printTable, withPeers } from './peers.ts'

const BYTES = 5_000_000
/** Arguments of the program in dom0 behind the address. */
const directions = { 'guest to dom0': '19', 'dom0 to guest': `9 ${BYTES}` }

interface Result {
  rate: number[]
  cpu: number[]
  hypercalls: number[]
}

/** Of a segment of Ethernet's size: what passes between guest and dom0 in one piece may be 40 of them. */
const SEGMENT = 1448

/** What tc netem does to the wire in both directions, while a guest's transfers are measured once more. */
const wires = ['delay 5ms', 'delay 5ms loss 0.1%', 'delay 5ms loss 1%', 'delay 5ms loss 5%', 'delay 5ms reorder 25% 50%']

/** Each image is of bench/programs/bulk.ts: give two, built before and after a change, to compare them. */
export async function benchBulk(images: string[], options: BenchOptions = {}): Promise<void> {
  const { runs = 5 } = options
  const folder = mkdtempSync(join(tmpdir(), 'xen-ts-bulk-'))
  const rig = await Rig.start()
  try {
    const program = join(folder, 'bulk')
    execFileSync('gcc', ['-O2', '-static', '-o', program, fileURLToPath(new URL('programs/bulk.c', import.meta.url))])
    await rig.put(program, '/bulk')
    await rig.must('chmod 755 /bulk')
    await installNetworkTools(rig)
    // What Linux learnt of a peer on one wire would decide how it begins on the next.
    await rig.must('echo 1 > /proc/sys/net/ipv4/tcp_no_metrics_save')
    const ours = await Promise.all(images.map((image, i) => imagePeer(image, { ...options, ipv6: true, host: 16 + i, name: `bulk-${i}` })))
    const peers = [...ours, await linuxPeer(program, folder)]
    const ways = peers.flatMap(({ title, ip, ip6 }, guest) => [
      { title, ip, guest },
      ...(ip6 === undefined ? [] : [{ title: 'by IPv6', ip: ip6, guest }]),
    ])
    const results = Object.keys(directions).map(() => ways.map((): Result => ({ rate: [], cpu: [], hypercalls: [] })))
    const bad = new Map(Object.keys(directions).flatMap(name => wires.map(wire => [`${name}, ${wire}`, peers.map((): number[] => [])])))
    await withPeers(rig, peers, async domains => {
      for (const { ip } of peers)
        await rig.must(`for i in $(seq 100); do /bulk ${ip} 9 1 2>/dev/null && exit; sleep 0.3; done; exit 1`, { seconds: 120 })
      // In turn: a busy moment of the host then does not hit one only. The emulator translates code when it first runs: that run
      // does not count.
      for (let run = 0; run <= runs; run++) {
        for (const [row, direction] of Object.values(directions).entries()) {
          for (const [column, way] of ways.entries()) {
            const one = await transfer(rig, way, domains[way.guest]!, direction)
            if (run === 0) continue
            results[row]![column]!.rate.push(one.rate)
            results[row]![column]!.cpu.push(one.cpu)
          }
        }
      }
      for (const [row, direction] of Object.values(directions).entries()) {
        for (const [column, { ip, guest }] of ways.entries()) {
          const { hypercalls } = await countHypercalls(
            rig,
            `/bulk ${ip} ${direction}`,
            domains.filter((_, i) => i !== guest),
          )
          results[row]![column]!.hypercalls.push(hypercalls / (BYTES / SEGMENT))
        }
      }
      for (const wire of wires) {
        for (const [column, peer] of peers.entries()) {
          const domain = domains[column]!
          await onWire(rig, domain, wire, async () => {
            for (const [name, direction] of Object.entries(directions)) {
              const rates = bad.get(`${name}, ${wire}`)![column]!
              for (let run = 0; run < runs; run++)
                rates.push((await transfer(rig, { title: peer.title, ip: peer.ip }, domain, direction)).rate)
            }
          })
        }
      }
    })
    const table = (what: keyof Result, digits: number) =>
      printTable([
        ['', ...ways.flatMap(({ title }) => [title, 'ratio'])],
        ...Object.keys(directions).map((name, row) => {
          const medians = results[row]!.map(result => median(result[what]))
          return [name, ...medians.flatMap(value => [value.toFixed(digits), (value / medians.at(-1)!).toFixed(2)])]
        }),
      ])
    console.log(`megabytes per second of TCP, one virtual CPU, emulated, median of ${runs}; a ratio is that to Linux`)
    table('rate', 1)
    console.log("milliseconds of the guest's CPU per megabyte")
    table('cpu', 1)
    console.log(`hypercalls of the guest for ${SEGMENT} bytes`)
    table('hypercalls', 3)
    console.log('megabytes per second over wires that delay, lose and reorder in both directions (tc netem)')
    printTable([
      ['', ...peers.flatMap(({ title }) => [title, 'ratio'])],
      ...[...bad].map(([name, each]) => {
        const medians = each.map(median)
        return [name, ...medians.flatMap(value => [value.toFixed(2), (value / medians.at(-1)!).toFixed(2)])]
      }),
    ])
  } finally {
    await rig.stop()
    rmSync(folder, { recursive: true })
  }
}

async function transfer(
  rig: Rig,
  { title, ip }: Pick<Peer, 'title' | 'ip'>,
  { domid }: Domain,
  direction: string,
): Promise<{ rate: number; cpu: number }> {
  const [before, moved, after] = (
    await rig.must(`cpu-time ${domid} && /bulk ${ip} ${direction} && cpu-time ${domid}`, { seconds: 120 })
  ).split('\n')
  const [bytes, seconds] = moved!.split(' ').map(Number)
  if (bytes !== BYTES) throw new Error(`${title}: ${bytes} bytes arrived, not ${BYTES}`)
  return { rate: BYTES / 1e6 / seconds!, cpu: (Number(after) - Number(before)) / BYTES }
}

/** Runs `body` while netem has the wire of a guest: what comes from the guest goes through a device of its own. */
async function onWire(rig: Rig, { domid }: Domain, netem: string, body: () => Promise<unknown>): Promise<void> {
  const vif = `vif${domid}.0`
  const tc = '/opt/bin/tc'
  await rig.must(`set -e
    ip link set ifb0 up
    ${tc} qdisc add dev ${vif} root netem limit 10000 ${netem}
    ${tc} qdisc add dev ifb0 root netem limit 10000 ${netem}
    ${tc} qdisc add dev ${vif} handle ffff: ingress
    ${tc} filter add dev ${vif} parent ffff: matchall action mirred egress redirect dev ifb0`)
  try {
    await body()
  } finally {
    await rig.must(`${tc} qdisc del dev ${vif} root; ${tc} qdisc del dev ${vif} ingress; ${tc} qdisc del dev ifb0 root`)
  }
}

/** The Linux of the other benchmarks, with our program in a second archive behind its initramfs. */
async function linuxPeer(program: string, folder: string): Promise<Peer> {
  const vif = { ip: '10.137.0.20', mac: '00:16:3e:5e:6c:20' }
  const guest = await linuxGuest({ role: 'nginx', ip: vif.ip })
  const ramdisk = join(folder, 'linux.img')
  writeFileSync(
    ramdisk,
    Buffer.concat([readFileSync(guest.ramdisk), writeCpio(new Map([['usr/bin/bulk', { content: readFileSync(program), mode: 0o755 }]]))]),
  )
  return {
    title: 'Linux',
    sign: 'init reached',
    ip: vif.ip,
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
