/**
 * The web platform's own work: how much of it a guest does in a second. In the native engine, the very object that boots, as a Linux
 * program; beside it the same code on V8, and what Node itself does.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { buildEngine, engineFolder, engineLayout } from '@xen-ts/boot/engine'
import { build } from 'esbuild'
import { printTable } from './peers.ts'
import { bodiesRows, ourBodies } from './web/bodies.ts'
import { cryptoRows, ourSubtle } from './web/crypto.ts'
import type { Row } from './web/measure.ts'

export async function benchWeb(): Promise<void> {
  const now = () => performance.now()
  const columns = [
    await inEngine(),
    [...(await cryptoRows({ now }, ourSubtle())), ...(await bodiesRows({ now }, ourBodies))],
    [...(await cryptoRows({ now }, crypto.subtle)), ...(await bodiesRows({ now }, globalThis))],
  ]
  const digits = (value: number) => (value < 10 ? value.toFixed(2) : value.toFixed(0))
  printTable([
    ['per second', 'guest', 'the same on V8', 'Node', 'Node / guest'],
    ...columns[0]!.map(({ title, rate }, i) => {
      const [onV8, node] = [columns[1]![i]!.rate, columns[2]![i]!.rate]
      return [title, digits(rate), digits(onV8), digits(node), digits(node / rate)]
    }),
  ])
}

async function inEngine(): Promise<Row[]> {
  await buildEngine({ out: engineFolder })
  const folder = mkdtempSync(join(tmpdir(), 'xen-ts-web-'))
  try {
    const script = join(folder, 'web.js')
    await build({
      entryPoints: [fileURLToPath(new URL('web/guest.ts', import.meta.url))],
      outfile: script,
      bundle: true,
      format: 'iife',
      platform: 'neutral',
      target: 'es2024',
      mainFields: ['module', 'main'],
      charset: 'utf8',
      logLevel: 'warning',
    })
    const { arrayData, arrayLength } = await engineLayout()
    const options = [join(engineFolder, 'memory.bin'), '--clock', '--uint8array', `${arrayData},${arrayLength}`]
    const { stdout } = await promisify(execFile)(join(engineFolder, 'host'), [...options, script], { timeout: 300_000 })
    return JSON.parse(stdout)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

if (import.meta.main) await benchWeb()
