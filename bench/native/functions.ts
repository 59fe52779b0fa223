/** In which of our functions a work is, by a profile of V8's interpreter (in-node.ts). */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { SourceMap } from 'node:module'
import { relative, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'

interface ProfileNode {
  readonly id: number
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number; readonly columnNumber: number }
  readonly children?: readonly number[]
}
interface CpuProfile {
  readonly nodes: readonly ProfileNode[]
  readonly samples: readonly number[]
}

const top = fileURLToPath(new URL('../..', import.meta.url))

/**
 * Shares of functions (`stack/tcp/output.ts output`) in what is counted, the largest first.
 * @param map of the program's bundle, whose sources are relative to `root`
 */
export async function functionShares(peers: string, program: string, map: string, root: string): Promise<[name: string, share: number][]> {
  const output = `${peers}.cpuprofile`
  const args = [
    '--no-opt',
    '--no-maglev',
    '--no-sparkplug',
    '--allow-natives-syntax',
    fileURLToPath(new URL('in-node.ts', import.meta.url)),
    peers,
    program,
    output,
  ]
  await promisify(execFile)(process.execPath, args, { timeout: 300_000 })
  const { nodes, samples }: CpuProfile = JSON.parse(await readFile(output, 'utf8'))
  const byId = new Map(nodes.map(node => [node.id, node]))
  const left = new Set<number>()
  const leave = (node: ProfileNode): void => {
    left.add(node.id)
    for (const child of node.children ?? []) leave(byId.get(child)!)
  }
  for (const node of nodes) if (node.callFrame.functionName === 'outside') leave(node)
  const sources = new SourceMap(JSON.parse(map))
  const { href } = pathToFileURL(program)
  const counts = new Map<string, number>()
  let all = 0
  for (const sample of samples) {
    const { callFrame } = byId.get(sample)!
    if (left.has(sample) || callFrame.url !== href) continue
    const entry = sources.findEntry(callFrame.lineNumber, callFrame.columnNumber)
    const file = 'originalSource' in entry ? relative(top, resolve(root, entry.originalSource)) : ''
    const name = `${file} ${callFrame.functionName || '=>'}`
    counts.set(name, (counts.get(name) ?? 0) + 1)
    all++
  }
  return [...counts].map(([name, count]): [string, number] => [name, count / all]).sort(([, a], [, b]) => b - a)
}
