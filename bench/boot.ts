import { Rig } from '@xen-ts/rig/xen'
import { type BenchOptions, benchArguments, imagePeer, linuxPeer, median, type Peer, printTable } from './peers.ts'

/**
 * Measures how long a domain takes from its first instruction to the first line of the program, and to its first HTTP answer, next
 * to Linux on the same emulated machine. Only the ratios mean something.
 */
export async function benchBoot(imagePath: string, options: BenchOptions = {}): Promise<void> {
  const { runs = 3 } = options
  const peers = [await imagePeer(imagePath, options), await linuxPeer('init'), await linuxPeer('nginx')]
  const rig = await Rig.start()
  try {
    const results = new Map(peers.map(peer => [peer, { console: [] as number[], http: [] as number[] }]))
    // Round by round, so that a busy moment of the host does not hit one peer only.
    for (let run = 0; run < runs; run++) {
      for (const peer of peers) {
        const { console, http } = await measure(rig, peer)
        results.get(peer)!.console.push(console)
        if (http !== undefined) results.get(peer)!.http.push(http)
      }
    }
    const [ours, linux, nginx] = peers.map(peer => results.get(peer)!) as [Times, Times, Times]
    const row = (title: string, mine: number[], theirs: number[]) => [
      title,
      `${median(mine).toFixed(0)} ms`,
      `${median(theirs).toFixed(0)} ms`,
      `1/${(median(theirs) / median(mine)).toFixed(0)}`,
    ]
    console.log(`boot of ${peers[0]!.title}, median of ${runs}, emulated CPU`)
    printTable([
      ['unpause to ...', 'xen-ts', 'Linux', 'ratio'],
      row('first line of the program / init', ours.console, linux.console),
      ...(ours.http.length ? [row('first HTTP answer / nginx', ours.http, nginx.http)] : []),
    ])
  } finally {
    await rig.stop()
  }
}

interface Times {
  console: number[]
  http: number[]
}

async function measure(rig: Rig, peer: Peer): Promise<{ console: number; http?: number }> {
  const { domain, destroy } = await peer.build(rig)
  try {
    const server = peer.ip ? `${peer.ip} 80` : ''
    const output = await rig.must(`boot-clock ${domain.domid} /var/log/xen/guest-${domain.name}.log '${peer.sign}' ${server}`, {
      seconds: 90,
    })
    const times = Object.fromEntries(
      output
        .trim()
        .split('\n')
        .map(line => line.split(' '))
        .map(([what, ms]) => [what, Number(ms)]),
    )
    return { console: times.console!, http: times.http }
  } catch (error) {
    throw new Error(`${peer.title} did not start:\n${await rig.must(`tail -20 /var/log/xen/guest-${domain.name}.log`)}`, { cause: error })
  } finally {
    await destroy()
  }
}

if (import.meta.main) {
  const { image, options } = benchArguments()
  await benchBoot(image, options)
}
