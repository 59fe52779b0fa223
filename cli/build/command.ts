import { relative } from 'node:path'
import type { AssetReport } from './assets.ts'
import type { Begun } from './begin.ts'
import { buildProgram } from './build.ts'
import { type GivenOptions, targetOf } from './prepare.ts'
import type { Project } from './project.ts'
import { kib, nodeCommand, sizeTree } from './report.ts'

export interface BuildCommandOptions extends GivenOptions {
  readonly output?: string
  readonly json?: boolean
}

/** `xen-ts build`: stages with times, size tree, least memory, sha256. */
export async function buildCommand(app: string, options: BuildCommandOptions, begun: Begun): Promise<void> {
  if (await becomesProcess(begun.project, options.target)) return processCommand(app, options)
  const say = options.json
    ? () => {}
    : (text: string) => {
        process.stdout.write(text)
      }
  const onStage = (name: string, milliseconds?: number): void => {
    if (milliseconds !== undefined) say(`${name.padEnd(10)} ${milliseconds.toFixed(0).padStart(6)} ms\n`)
  }
  const report = await buildProgram({ ...options, app, gzip: options.json, onStage }, begun)
  for (const warning of report.warnings) process.stderr.write(`warning: ${warning.replaceAll('\n', '\n  ')}\n`)
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ ...report, output: relative(process.cwd(), report.output) }, undefined, 2)}\n`)
    return
  }
  for (const assets of report.assets) say(`${assetLine(assets)}\n`)
  say(`\n${sizeTree(report.sizes).join('\n')}\n\n`)
  say(`memory     ${report.memoryMiB} MiB at least\nbuild      ${report.buildId}\nsha256     ${report.sha256}\n`)
}

async function becomesProcess(project: Project, given: string | undefined): Promise<boolean> {
  return (await targetOf(project, given, 'xen')).target.becomes === 'process'
}

async function processCommand(app: string, options: BuildCommandOptions): Promise<void> {
  const { buildProcess } = await import('./process.ts')
  const report = await buildProcess({ ...options, app })
  for (const warning of report.warnings) process.stderr.write(`warning: ${warning.replaceAll('\n', '\n  ')}\n`)
  const output = relative(process.cwd(), report.output)
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ ...report, output }, undefined, 2)}\n`)
    return
  }
  for (const assets of report.assets) process.stdout.write(`${assetLine(assets)}\n`)
  process.stdout.write(
    `bundle     ${report.milliseconds.toFixed(0).padStart(6)} ms\n\n${output}  ${kib(report.bytes)}\nsha256     ${report.sha256}\nrun it     ${nodeCommand(process.execPath)} ${output}\n`,
  )
}

function assetLine({ folder, files, bytes, compressedBytes, leftOut }: AssetReport): string {
  const smaller = compressedBytes === 0 ? '' : `, and ${kib(compressedBytes)} of it compressed`
  const names = leftOut.slice(0, 5).join(', ') + (leftOut.length > 5 ? ', ...' : '')
  const without = leftOut.length === 0 ? '' : `; left out: ${leftOut.length} (${names})`
  return `assets     ${relative(process.cwd(), folder) || '.'}: ${files} ${files === 1 ? 'file' : 'files'}, ${kib(bytes)}${smaller}${without}`
}
