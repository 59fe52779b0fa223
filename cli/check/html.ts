/** The report of `xen-ts check` as a page: one file, which needs nothing else, no script either. */
import { kib, type SizeRow } from '../build/report.ts'
import type { NativeShare } from '../native/make.ts'
import type { CheckReport, NamedUse } from './check.ts'
import type { Profile } from './profile.ts'
import { endOf, graphOf, PROFILE_NOTE } from './text.ts'

const style = `
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #222; background: #fff }
h2 { margin-top: 2.5rem; font-size: 1.2rem } code, pre { font: 13px/1.5 ui-monospace, monospace }
table { border-collapse: collapse; width: 100% } td, th { padding: .15rem .6rem .15rem 0; text-align: left; vertical-align: top }
.n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums }
.bar { width: 40% } .bar div { background: #4a7fb5; height: .8rem; min-width: 1px } details details { margin-left: 1.2rem }
summary, .leaf { display: flex; gap: .6rem; cursor: default } summary::before { content: '▸'; width: 1rem } details[open] > summary::before { content: '▾' }
.leaf { margin-left: 1.2rem } .leaf::before { content: ''; width: 1rem } .name { flex: 1; overflow-wrap: anywhere } .absent { color: #b02a37 }
pre { background: #f4f4f4; padding: .6rem; overflow-x: auto } .note { color: #666 }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #1b1b1b } pre { background: #2a2a2a } .note { color: #999 } }
`

export function htmlReport(report: CheckReport): string {
  const { name, version, target, sizes, memoryMiB, native, profile, globals, nodeModules, warnings } = report
  const title = `${name} ${version} for target ${target}`
  return `<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escape(title)}</title>
<style>${style}</style>
<h1>${escape(title)}</h1>
${memoryMiB === undefined ? '' : `<p>Memory: ${memoryMiB} MiB at least</p>\n`}${warnings.length === 0 ? '' : `<h2>Warnings</h2>\n${warnings.map(one => `<pre>${escape(one)}</pre>`).join('\n')}\n`}<h2>Size</h2>
${tree(sizes, sizes.bytes, 0)}
${machineCode(native ?? [])}${profile === undefined ? '' : `${graph(profile)}${times(profile)}`}${globals === undefined ? '' : names('Globals that are not of the language', globals)}${names('Modules of Node', nodeModules)}</html>
`
}

/** The whole and its parts stand open, what is below is opened by hand. */
function tree({ name, bytes, parts }: SizeRow, whole: number, depth: number): string {
  const row = `<span class="name">${escape(name)}</span><span class="n">${kib(bytes)}</span><span class="n">${((bytes / whole) * 100).toFixed(1)}%</span>`
  if (parts === undefined || parts.length === 0) return `<div class="leaf">${row}</div>`
  const open = depth < 2 ? ' open' : ''
  return `<details${open}><summary>${row}</summary>\n${parts.map(part => tree(part, whole, depth + 1)).join('\n')}\n</details>`
}

/** By function. */
function machineCode(native: readonly NativeShare[]): string {
  if (native.length === 0) return ''
  const bytes = native.reduce((sum, { bytes }) => sum + bytes, 0)
  const parts = native.map(({ name, file, bytes }) => ({ name: `${name} ${file}`.trimEnd(), bytes }))
  return `<h2>Machine code</h2>\n${tree({ name: `${native.length} functions`, bytes, parts }, bytes, 2)}\n`
}

const graph = ({ graph }: Profile): string => (graph === undefined ? '' : `<h2>Devices</h2>\n<pre>${escape(graphOf(graph))}</pre>\n`)

function times(profile: Profile): string {
  const { modules, load, prepare, start, end, output } = profile
  const most = Math.max(...modules.map(({ milliseconds }) => milliseconds), load, prepare, start)
  const row = (text: string, time: number) =>
    `<tr><td>${escape(text)}<td class="n">${time.toFixed(2)} ms<td class="bar"><div style="width:${((time / (most || 1)) * 100).toFixed(1)}%"></div>`
  return `<h2>Before the first request</h2>
<p class="note">${escape(PROFILE_NOTE)}</p>
<table>
${[row('top levels of modules', load), ...modules.map(one => row(`· ${one.name}`, one.milliseconds)), row('arguments and devices', prepare), row('start()', start)].join('\n')}
</table>
<p>Until ${escape(endOf(profile))}.</p>
${end === 'fails' ? `<pre>${escape(output.trimEnd())}</pre>\n` : ''}`
}

function names(title: string, uses: readonly NamedUse[]): string {
  const rows = uses.map(
    ({ name, present, files }) =>
      `<tr><td><code>${escape(name)}</code><td>${present ? '' : '<span class="absent">absent</span>'}<td>${files.map(escape).join('<br>')}`,
  )
  return `<h2>${title}</h2>\n${rows.length === 0 ? '<p>none</p>' : `<table>\n${rows.join('\n')}\n</table>`}\n`
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const escape = (text: string): string => text.replace(/[&<>"]/g, one => entities[one])
