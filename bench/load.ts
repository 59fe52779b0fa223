import { join } from 'node:path'
import { defaultCache, type Rig, sharedLibraries, timedLog, unpackPackages } from '@xen-ts/rig/xen'

/** Debian's wrk with what it needs. */
const packages = ['wrk', 'libluajit-5.1-2', 'libssl3', 'libgcc-s1', 'libc6']

export interface Load {
  connections: number
  seconds: number
  /** Asks for a new connection with each request. */
  close?: boolean
}

export interface LoadResult {
  requestsPerSecond: number
  /** Connections that failed or timed out, and answers other than 2xx and 3xx. */
  errors: number
  /** What failed, in the words of the load generator. */
  report: string
}

/** Puts the load generator wrk into dom0; the result makes it ask a URL there. It runs in dom0, so QEMU's network is not measured. */
export async function loadGenerator(rig: Rig): Promise<(url: string, load: Load) => Promise<LoadResult>> {
  const { root } = await unpackPackages(packages, defaultCache, timedLog())
  const program = join(root, 'usr/bin/wrk')
  await rig.must('mkdir -p /bench')
  await rig.put(program, '/bench/wrk')
  for (const [path, file] of await sharedLibraries(root, [program], ['libgcc_s.so.1']))
    await rig.put(file, `/bench/${path.split('/').at(-1)}`)
  await rig.must('chmod 755 /bench/*')
  return async (url, { connections, seconds, close }) => {
    const header = close ? '-H "Connection: close"' : ''
    const report = await rig.must(
      `/bench/ld-linux-x86-64.so.2 --library-path /bench /bench/wrk -t 1 -c ${connections} -d ${seconds} --timeout 10 ${header} ${url}`,
      { seconds: seconds + 60 },
    )
    const rate = /Requests\/sec:\s+([\d.]+)/.exec(report)
    if (!rate) throw new Error(`wrk did not tell a rate:\n${report}`)
    const failures = [
      .../(?:connect|read|write|timeout) (\d+)/g[Symbol.matchAll](report),
      .../Non-2xx or 3xx responses: (\d+)/g[Symbol.matchAll](report),
    ]
    const lines = report.split('\n').filter(line => /Socket errors|Non-2xx/.test(line))
    return {
      requestsPerSecond: Number(rate[1]),
      errors: failures.reduce((sum, [, count]) => sum + Number(count), 0),
      report: lines.map(line => line.trim()).join(', '),
    }
  }
}
