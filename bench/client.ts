/**
 * What a program does over the network on its own account: it answers datagrams (next to a Linux guest, and by both families), fetches pages (next to
 * wrk in dom0, from the same server), looks up names, and holds connections on which nothing happens.
 */
import { installNetworkTools, Rig } from '@xen-ts/rig/xen'
import { loadGenerator } from './load.ts'
import { type BenchOptions, benchArguments, imagePeer, linuxPeer, median, type Peer, printTable, withPeers } from './peers.ts'

const SECONDS = 3
const CONNECTIONS = 1_000

/** @param imagePath of bench/programs/client.ts */
export async function benchClient(imagePath: string, options: BenchOptions = {}): Promise<void> {
  const { runs = 3 } = options
  const rig = await Rig.start()
  try {
    await installNetworkTools(rig)
    const ask = await loadGenerator(rig)
    const peers = [await imagePeer(imagePath, { ...options, memory: options.memory ?? 64, ipv6: true }), await linuxPeer('nginx')] as const
    await withPeers(rig, [...peers], async ([own]) => {
      const [{ ip, ip6 }, { ip: linux }] = peers
      const told = async (path: string) =>
        JSON.parse(
          await rig.must(`/opt/bin/curl -sS --max-time 100 --retry 100 --retry-all-errors --retry-delay 1 'http://${ip}/${path}'`, {
            seconds: 120,
          }),
        )
      await rig.must(`/opt/bin/curl -sS --retry 100 --retry-all-errors --retry-delay 1 http://${linux}/ >/dev/null`, { seconds: 120 })
      await idleConnections(told, peers[0], count => rig.spawn(`exec crowd ${ip} 80 ${count} idle 60`))
      await datagrams(rig, runs, [
        ['IPv4', ip!],
        ['IPv6', ip6!],
        ['Linux, IPv4', linux!],
      ])
      await fetches(told, linux!, async at => (await ask(`http://${linux}:80/`, { connections: at, seconds: SECONDS })).requestsPerSecond)
      await lookups(rig, told, `vif${own!.domid}.0`)
    })
  } finally {
    await rig.stop()
  }
}

type Told = (path: string) => Promise<{ done: number; failed: number; used: number }>

async function datagrams(rig: Rig, runs: number, hosts: [title: string, address: string][]): Promise<void> {
  const rows: string[][] = []
  for (const [length, window] of [
    [60, 1],
    [60, 32],
    [1_400, 32],
  ] as const) {
    const rates = hosts.map((): number[] => [])
    let lost = 0
    // The emulator translates code when it first runs: that run does not count.
    for (let run = 0; run <= runs; run++) {
      for (const [i, [, address]] of hosts.entries()) {
        const [rate, missing] = (await rig.must(`datagrams ${address} 7 rate ${run === 0 ? 1 : SECONDS} ${length} ${window}`))
          .split(' ')
          .map(Number)
        if (run === 0) continue
        rates[i]!.push(rate!)
        lost += missing!
      }
    }
    const [four, six, linux] = rates.map(median)
    rows.push([
      `${length} bytes, ${window} under way${lost > 0 ? ` (${lost} lost)` : ''}`,
      ...[four!, six!, linux!].map(rate => rate.toFixed(0)),
      (four! / linux!).toFixed(2),
      (six! / four!).toFixed(2),
    ])
  }
  console.log(`UDP datagrams per second that come back from a guest, median of ${runs}, one virtual CPU, emulated`)
  printTable([['', ...hosts.map(([title]) => title), 'to Linux', 'IPv6 to IPv4'], ...rows])
}

async function fetches(told: Told, server: string, wrk: (connections: number) => Promise<number>): Promise<void> {
  const rows: string[][] = []
  for (const at of [1, 6, 32]) {
    const path = (seconds: number) => `fetch?url=${encodeURIComponent(`http://${server}/`)}&at=${at}&seconds=${seconds}`
    await told(path(1))
    const { done, failed } = await told(path(SECONDS))
    if (failed > 0) throw new Error(`${failed} of ${done + failed} fetches have failed`)
    const theirs = await wrk(at)
    rows.push([`${at}`, (done / SECONDS).toFixed(0), theirs.toFixed(0), (done / SECONDS / theirs).toFixed(2)])
  }
  console.log('requests per second from a guest to nginx in another one, by fetch, and from dom0 by wrk')
  printTable([['at a time', 'fetch', 'wrk', 'ratio'], ...rows])
}

async function lookups(rig: Rig, told: Told, vif: string): Promise<void> {
  await rig.must(
    `/opt/bin/dnsmasq --conf-file=/dev/null --user=root --group=root --interface=${vif} --no-hosts --no-resolv --address=/bench.lan/10.1.2.3 --local-ttl=600`,
  )
  const rows: string[][] = []
  for (const [title, at, more] of [
    ['1 at a time', 1, ''],
    ['32 at a time', 32, ''],
    ['1 at a time, in the cache', 1, '&known'],
  ] as const) {
    const path = (seconds: number) => `resolve?zone=bench.lan&at=${at}&seconds=${seconds}${more}`
    await told(path(1))
    const { done, failed } = await told(path(SECONDS))
    if (failed > 0) throw new Error(`${failed} of ${done + failed} look-ups have failed`)
    rows.push([title, (done / SECONDS).toFixed(0)])
  }
  console.log('names per second that a guest looks up (A), of dnsmasq in dom0')
  printTable([['', 'names'], ...rows])
}

/** The first time that there are so many: what the guest takes for them it keeps. */
async function idleConnections(told: Told, { title }: Peer, open: (count: number) => Promise<NodeJS.ReadableStream>): Promise<void> {
  const { used: before } = await told('memory')
  const crowd = await open(CONNECTIONS)
  const said = await new Promise<string>(resolve => crowd.once('data', bytes => resolve(String(bytes).trim())))
  if (said !== `${CONNECTIONS}`) throw new Error(`${said} connections of ${CONNECTIONS} were open`)
  const { used: after } = await told('memory')
  console.log(
    `${title}: ${((after - before) / CONNECTIONS).toFixed(0)} bytes for each of ${CONNECTIONS} connections to its HTTP server that are idle`,
  )
}

if (import.meta.main) {
  const { image, options } = benchArguments()
  await benchClient(image, options)
}
