import { type Domain, Rig } from '@xen-ts/rig/xen'
import { type Load, loadGenerator } from './load.ts'
import { type BenchOptions, benchArguments, imagePeer, linuxPeer, type Peer, printTable } from './peers.ts'

const loads: Load[] = [
  { connections: 1, seconds: 4 },
  { connections: 10, seconds: 4 },
  { connections: 50, seconds: 6 },
  { connections: 200, seconds: 6 },
  { connections: 50, seconds: 6, close: true },
]

/**
 * Requests per second for a page (programs/page.ts), by IPv4 next to nginx on Linux on the same emulated machine, and by IPv6. Only the ratios mean something.
 * @throws when a request failed: a rate of answers that some did not get is no result
 */
export async function benchHttp(imagePath: string, options: BenchOptions = {}): Promise<void> {
  const rig = await Rig.start()
  try {
    const ask = await loadGenerator(rig)
    const results: Awaited<ReturnType<typeof measure>>[] = []
    for (const peer of [await imagePeer(imagePath, { ...options, ipv6: true }), await linuxPeer('nginx')])
      results.push(await measure(rig, peer, ask))
    const [ours, theirs] = results as [(typeof results)[0], (typeof results)[0]]
    console.log(`requests per second, one virtual CPU, emulated; pages of ${ours.bytes} and ${theirs.bytes} bytes; (n) failed`)
    printTable([
      ['connections', ours.title, theirs.title, 'ratio', ...(ours.rates6.length ? ['by IPv6', 'to IPv4'] : [])],
      ...loads.map(({ connections, close }, i) => [
        `${connections}${close ? ', new for each request' : ''}`,
        ours.rates[i]!,
        theirs.rates[i]!,
        (ours.numbers[i]! / theirs.numbers[i]!).toFixed(2),
        ...(ours.rates6.length ? [ours.rates6[i]!.toFixed(0), (ours.rates6[i]! / ours.numbers[i]!).toFixed(2)] : []),
      ]),
    ])
    const failures = results.flatMap(({ failures }) => failures)
    if (failures.length > 0) throw new Error(`requests have failed:\n  ${failures.join('\n  ')}`)
  } finally {
    await rig.stop()
  }
}

async function measure(
  rig: Rig,
  peer: Peer,
  ask: Awaited<ReturnType<typeof loadGenerator>>,
): Promise<{ title: string; bytes: number; rates: string[]; numbers: number[]; rates6: number[]; failures: string[] }> {
  // With its port, because dom0 has no list of services.
  const url = `http://${peer.ip}:80/`
  const { domain, destroy } = await peer.build(rig)
  try {
    await domain.unpause()
    const bytes = await firstAnswer(rig, domain, peer.ip!)
    // The emulator translates code when it first runs.
    await ask(url, { connections: 10, seconds: 2 })
    const [rates, failures]: string[][] = [[], []]
    const numbers: number[] = []
    const rates6: number[] = []
    for (const load of loads) {
      const { requestsPerSecond, errors, report } = await ask(url, load)
      if (errors > 0) failures.push(`${peer.title}, ${load.connections} connections: ${report}`)
      if (peer.ip6 !== undefined) {
        const six = await ask(`http://[${peer.ip6}]:80/`, load)
        if (six.errors > 0) failures.push(`${peer.title} by IPv6, ${load.connections} connections: ${six.report}`)
        rates6.push(six.requestsPerSecond)
      }
      numbers.push(requestsPerSecond)
      rates.push(`${requestsPerSecond.toFixed(0)}${errors ? ` (${errors})` : ''}`)
    }
    return { title: peer.title, bytes, rates, numbers, rates6, failures }
  } finally {
    await destroy()
  }
}

/** Waits for the server, asked from the host. Gives the length of its page. */
async function firstAnswer(rig: Rig, domain: Domain, ip: string): Promise<number> {
  const port = await rig.forward(0, ip, 80)
  for (const giveUp = Date.now() + 90_000; Date.now() < giveUp; ) {
    const page = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(3000) }).then(
      answer => answer.bytes(),
      () => undefined,
    )
    if (page) return page.length
    await new Promise(resolve => setTimeout(resolve, 500))
  }
  throw new Error(`${domain.name} does not answer:\n${await rig.must(`tail -20 /var/log/xen/guest-${domain.name}.log`)}`)
}

if (import.meta.main) {
  const { image, options } = benchArguments()
  await benchHttp(image, options)
}
