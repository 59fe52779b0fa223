/**
 * The drivers on the simulated Xen, the HTTP server on a socket of nothing, and the stack on a device of nothing, in Node and in the guest's engine in Node (its .wasm, run by V8): shows within seconds what a change
 * does. Rates are mostly the simulation's own; what is asked of Xen is exact, and the same wherever the drivers run.
 */
import { fileURLToPath } from 'node:url'
import { builtData, runInEngine } from '@xen-ts/boot/testing'
import { nodeMachine } from '@xen-ts/runtime/node'
import { build } from 'esbuild'
import { engineBundle } from './engine-bundle.ts'
import { printTable } from './peers.ts'
import { fetchRows } from './sim/fetch.ts'
import { httpRows } from './sim/http.ts'
import type { Host, Row } from './sim/measure.ts'
import { netRows } from './sim/net.ts'
import { tcpRows } from './sim/tcp.ts'
import { vchanRows } from './sim/vchan.ts'

export async function benchSim(): Promise<void> {
  const host = { now: () => performance.now(), divisor: 1 }
  // V8 translates code when it has run for a while: the first round does not count.
  const http = (host: Host) => httpRows(host, nodeMachine())
  const tcp = (host: Host) => tcpRows(host, nodeMachine())
  const fetches = (host: Host) => fetchRows(host, nodeMachine())
  for (const measure of [vchanRows, netRows, http, tcp, fetches]) await measure({ ...host, divisor: 10 })
  const rows = [...(await vchanRows(host)), ...(await netRows(host)), ...(await http(host)), ...(await tcp(host)), ...(await fetches(host))]
  const engine = await inEngine()
  const digits = (value: number | undefined) => (value === undefined ? '' : value < 10 ? value.toFixed(2) : value.toFixed(0))
  console.log(
    'drivers on the simulated Xen, HTTP by itself and on the stack; hypercalls and ABI calls for each packet, write, round trip or request',
  )
  printTable([
    ['', 'V8', "guest's engine", 'hypercalls', 'ABI calls', 'events per MiB'],
    ...rows.map(({ title, rate, hypercalls, abiCalls, eventsPerMiB }, i) => [
      title,
      digits(rate),
      digits(engine[i]!.rate),
      hypercalls.toFixed(3),
      abiCalls.toFixed(1),
      digits(eventsPerMiB),
    ]),
  ])
}

async function inEngine(): Promise<Row[]> {
  const { outputFiles } = await build({
    ...engineBundle,
    entryPoints: [fileURLToPath(new URL('sim/guest.ts', import.meta.url))],
    outfile: 'sim.js',
    inject: [fileURLToPath(import.meta.resolve('@xen-ts/runtime/web/inject'))],
    plugins: [builtData()],
    ignoreAnnotations: true, // "sideEffects": false would drop the globals that the engine lacks
  })
  let printed = ''
  await runInEngine({
    bundle: outputFiles[0]!.text,
    filename: 'sim.js',
    output: text => {
      printed += text
    },
    realClock: true,
  })
  return JSON.parse(printed)
}

if (import.meta.main) await benchSim()
